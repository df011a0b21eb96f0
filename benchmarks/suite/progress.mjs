/** How far a run is, on stderr: a line that changes on a terminal, a line for each case elsewhere. */

const ERASE_LINE = '\r\x1b[K';

export class Progress {
  #startedAt = performance.now();
  /** In seconds, as they were estimated. */
  #expected = 0;
  #done = 0;
  #current = 0;
  #case = '';
  #line = '';

  /** @param {number} seconds how long the whole may take */
  expect(seconds) {
    this.#expected = seconds;
  }

  /** @param {string} name */
  startCase(name) {
    this.#case = name;
    if (!process.stderr.isTTY) process.stderr.write(`bench: ${name}, ${this.#left()}\n`);
  }

  /**
   * A measurement begins, and the one before is over.
   *
   * @param {string} what
   * @param {number} seconds how long it may take
   */
  step(what, seconds) {
    this.#done += this.#current;
    this.#current = seconds;
    this.#line = `${this.#case}: ${what}, ${this.#left()}`;
    this.#draw();
  }

  /** Says something that stays. @param {string} text */
  note(text) {
    this.#erase();
    process.stderr.write(`bench: ${text}\n`);
    this.#draw();
  }

  end() {
    this.#erase();
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    process.stderr.write(`bench: done in ${seconds} s\n`);
  }

  #left() {
    const left = this.#expected - this.#done;
    // What is done tells how good the estimate is.
    const pace = this.#done < 5 ? 1 : (performance.now() - this.#startedAt) / 1000 / this.#done;
    const seconds = Math.max(Math.round(left * pace), 1);
    return seconds < 90 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`;
  }

  #erase() {
    if (process.stderr.isTTY) process.stderr.write(ERASE_LINE);
  }

  #draw() {
    if (process.stderr.isTTY) process.stderr.write(`${ERASE_LINE}${this.#line.slice(0, process.stderr.columns - 1)}`);
  }
}
