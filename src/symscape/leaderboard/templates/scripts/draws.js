// Uncertainty as in symscape.leaderboard.bootstrap: materials drawn with replacement. The draws are
// the browser's own, of a fixed seed, and fewer: ends of intervals may differ by a point from Python's.
"use strict";
const draws = (() => {
  const SAMPLES = 1000;
  const FEWEST_MATERIALS = 2;

  /** Uniform numbers in [0, 1): a 32-bit generator of the counter kind, mixed by multiplication. */
  function uniform(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
    };
  }

  function percentile(sorted, share) {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  class Draws {
    /** Means by model, draw and question over draws of some materials. */
    constructor(averages, materials) {
      this.averages = averages;
      this.known = materials.length >= FEWEST_MATERIALS;
      if (!this.known) return;
      const random = uniform(20260101);
      const pick = () => materials[Math.floor(random() * materials.length)];
      const drawn = Array.from({ length: SAMPLES }, () => materials.map(pick));
      this.means = averages.byMaterial.map((_, model) =>
        drawn.map((sample) => averages.byQuestion(model, sample)),
      );
    }

    scores(model, weights) {
      return this.means[model].map((byQuestion) => this.averages.combine(byQuestion, weights));
    }

    /** 95 % interval of each model's score and rank among models; null where there is none. */
    intervals(models, scores, weights) {
      if (!this.known) return models.map(() => null);
      const drawn = models.map((model) => this.scores(model, weights));
      const ranked = drawn[0].map((_, d) => averages.ranks(drawn.map((own) => own[d])));
      return models.map((_, k) => {
        const values = drawn[k].filter((score) => score !== null).sort((a, b) => a - b);
        if (!values.length || scores[k] === null) return null;
        const places = ranked.map((own) => own[k]).filter((rank) => rank !== null);
        places.sort((a, b) => a - b);
        const at = (share) => places[Math.max(Math.ceil(share * places.length), 1) - 1];
        return {
          score: [
            Math.min(percentile(values, 0.025), scores[k]),
            Math.max(percentile(values, 0.975), scores[k]),
          ],
          rank: [at(0.025), at(0.975)],
        };
      });
    }
  }

  return { Draws };
})();
