// Boards in lockstep: each runs for a short time, then the next, so that none is ahead of another
// one by more than `step_ns`. Chips act at once.
const TYPING_STEP_NS = 20_000;

export class World {
  constructor(step_ns = TYPING_STEP_NS) {
    this.step_ns = step_ns;
    this.boards = [];
    this.now_ns = 0;
  }

  add(board) {
    this.boards.push(board);
    return board;
  }

  remove(board, backwards) {
    board.unplug(backwards);
    this.boards = this.boards.filter((other) => other !== board);
  }

  // Until done() or for `limit_ms`: was it done?
  run(done, limit_ms, step_ns = this.step_ns) {
    const end_ns = this.now_ns + limit_ms * 1e6;
    while (this.now_ns < end_ns) {
      const next_ns = this.now_ns + step_ns;
      for (const board of this.boards) board.run(next_ns);
      this.now_ns = next_ns;
      if (done()) return true;
    }
    return false;
  }

  sleep(ms) {
    this.now_ns += ms * 1e6; // nobody is awake
  }

  // To the prompt; the first one may have gone before the host listened.
  boot(boards) {
    for (const { serial } of boards) serial.type('\r\n');
    this.need(boards, 'the prompt', (board) => board.serial.text.includes('>>>'), 20_000);
  }

  // Run codes[i] on boards[i], all together, in the raw REPL: what they printed.
  exec(boards, codes, limit_ms = 20_000) {
    for (const { serial } of boards) {
      serial.text = '';
      serial.type('\r\x03\x01');
    }
    const raw = (board) => /raw REPL[^]*>$/.test(board.serial.text);
    this.need(boards, 'the raw REPL', raw, 5_000, TYPING_STEP_NS);
    boards.forEach(({ serial }, i) => {
      serial.text = '';
      serial.type(codes[i] + '\x04');
    });
    const taken = ({ serial }) => !serial.typed && serial.text.includes('OK');
    this.need(boards, 'the code', taken, 5_000, TYPING_STEP_NS);
    const over = ({ serial }) => serial.text.split('\x04').length > 2;
    this.need(boards, 'the end of the code', over, limit_ms);
    return boards.map((board) => {
      const [printed, error] = board.serial.text.replace(/^[^]*?OK/, '').split('\x04');
      if (error.trim()) throw new Error(`board ${board.name}: ${error.trim()}`);
      return printed.replaceAll('\r', '').trim();
    });
  }

  need(boards, what, reached, limit_ms, step_ns = this.step_ns) {
    if (this.run(() => boards.every((board) => board.end || reached(board)), limit_ms, step_ns)) {
      const gone = boards.find((board) => board.end);
      if (!gone) return;
      throw new Error(`board ${gone.name}: ${gone.end} instead of ${what}`);
    }
    const slow = boards.find((board) => !reached(board));
    const tail = JSON.stringify(slow.serial.text.slice(-300));
    throw new Error(`board ${slow.name} did not get to ${what} in ${limit_ms} ms: ${tail}`);
  }
}
