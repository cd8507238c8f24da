/** Fails when the first load, or any later chunk, exceeds its budget. */
import { BUDGET_KB, measureSizes } from './sizes.mjs';

for (const { budget, name, kB } of await measureSizes(new URL('../dist/', import.meta.url))) {
  const most = BUDGET_KB[budget];
  const over = kB > most;
  if (over) process.exitCode = 1;
  console.log(`${over ? 'TOO LARGE' : 'ok       '} ${kB.toFixed(1).padStart(7)} kB gz of ${most}  ${name}`);
}
