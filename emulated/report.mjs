// The figures, as plain text. A step that did not run has none.
export function report(figures) {
  const parts = [];
  const { version, megahertz, import_ms, heap, free, wakes, heapTable, contests } = figures;
  if (version)
    parts.push(
      `${version}, ${megahertz} MHz`,
      table(
        ['', 'figure'],
        [
          ['import of the library, ms', import_ms.toFixed(1)],
          ['heap after import, bytes', `${heap} (free ${free})`],
        ],
      ),
    );
  if (wakes)
    parts.push(
      table(
        ['wake of examples/first, boot to sleep', 'ms'],
        wakes.map(([what, ms]) => [what, ms.toFixed(1)]),
      ),
    );
  if (heapTable)
    parts.push(
      table(
        [
          'live objects',
          'BusyLine: look to pull, us',
          'acquire, ms',
          'BusArbitration: look to pull, us',
          'acquire, ms',
        ],
        heapTable.map((row) => row.map((value, k) => (k ? value.toFixed(k % 2 ? 0 : 1) : value))),
      ),
    );
  if (contests)
    parts.push(
      table(
        [
          'contest',
          'boards',
          'turns',
          'double holders',
          'longest wait, ms',
          'collections',
          'longest, ms',
        ],
        contests.map((row) => [
          row.lock,
          row.boards,
          row.turns,
          row.doubles,
          row.wait_ms.toFixed(1),
          row.pauses,
          row.pause_ms.toFixed(1),
        ]),
      ),
    );
  return parts.map((part) => `\n${part}`).join('\n') + '\n';
}

function table(head, rows) {
  const lines = [head, ...rows].map((line) => line.map(String));
  const widths = head.map((_, k) => Math.max(...lines.map((line) => line[k].length)));
  const padded = lines.map((line) =>
    line.map((cell, k) => (k ? cell.padStart(widths[k]) : cell.padEnd(widths[k]))).join('  '),
  );
  padded.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return padded.join('\n');
}
