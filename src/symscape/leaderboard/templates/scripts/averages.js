// Scores as in symscape.leaderboard.scores: over slices, then materials, then questions.
"use strict";
const averages = (() => {
  function mean(values) {
    const known = values.filter((v) => v !== null && Number.isFinite(v));
    return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  }

  class Averages {
    /** Numbers of the index page, as symscape.leaderboard.browser writes them. */
    constructor(numbers) {
      this.numbers = numbers;
      const { cells, materials, questions } = numbers;
      // by model, material and question: null where the question is not asked
      this.byMaterial = cells.map((own) =>
        materials.map((m) => questions.map((_, q) => mean(m.units.map((unit) => own[unit][q])))),
      );
      this.unjudged = numbers.models.map(
        (model) => new Set(model.unjudged.map(([unit, q]) => `${unit} ${q}`)),
      );
    }

    /** Mean over materials of each question's score. */
    byQuestion(model, materials) {
      const own = this.byMaterial[model];
      return this.numbers.questions.map((_, q) => mean(materials.map((m) => own[m][q])));
    }

    /** Weighted mean over questions, without those that are not asked; null where none is. */
    combine(byQuestion, weights) {
      let [sum, total] = [0, 0];
      byQuestion.forEach((value, q) => {
        if (value === null) return;
        sum += weights[q] * value;
        total += weights[q];
      });
      return total ? sum / total : null;
    }

    /** Mean of a metric over units, then materials. */
    metric(model, materials, name) {
      const values = this.numbers.raw[name][model];
      return mean(materials.map((m) => mean(this.numbers.materials[m].units.map((k) => values[k]))));
    }

    /** Share of the cases in which a model was judged, of questions that count. */
    coverage(model, materials, weights) {
      const { cells, materials: all } = this.numbers;
      let [asked, judged] = [0, 0];
      for (const unit of materials.flatMap((m) => all[m].units)) {
        weights.forEach((weight, q) => {
          if (!weight || cells[model][unit][q] === null) return;
          asked += 1;
          judged += !this.unjudged[model].has(`${unit} ${q}`);
        });
      }
      return asked ? judged / asked : null;
    }
  }

  /** Ranks from 1; equal scores share the better one, and rounding makes no difference. */
  function ranks(scores) {
    const rounded = scores.map((score) => (score === null ? null : Math.round(score * 1e9)));
    return rounded.map((one) =>
      one === null ? null : 1 + rounded.filter((other) => other !== null && other > one).length,
    );
  }

  return { Averages, ranks };
})();
