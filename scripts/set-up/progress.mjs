const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const eraseLine = '\r\x1b[K';

/**
 * Runs one step, showing that it runs and how long it took: a spinner on a terminal, two plain
 * lines elsewhere.
 * @param {string} title
 * @param {() => Promise<void>} action
 */
export async function showProgress(title, action) {
  const start = performance.now();
  const elapsed = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const write = (/** @type {string} */ text) => process.stderr.write(text);

  if (!process.stderr.isTTY) {
    write(`set-up: ${title} …\n`);
    await action();
    write(`set-up: ${title}, done in ${elapsed()}\n`);
    return;
  }

  let frame = 0;
  const draw = () => write(`${eraseLine}${frames[frame++ % frames.length]} ${title} (${elapsed()})`);
  draw();
  const timer = setInterval(draw, 100);
  try {
    await action();
    write(`${eraseLine}✔ ${title} (${elapsed()})\n`);
  } catch (error) {
    write(`${eraseLine}✘ ${title} (${elapsed()})\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
