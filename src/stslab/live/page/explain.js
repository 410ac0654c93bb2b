// Why a score is what it is: with mean pooling, a cosine is a sum over pairs of tokens.

// The score as a table of words against words that adds up to it; the last row and the last
// column are [CLS] and [SEP] together.
const explain = (engine, tokenizer, a, b) => {
  const sides = [a, b].map((text) => {
    const { ids, words } = tokenizer(text);
    const { vectors, mean } = engine.states(ids);
    const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0));
    const places = words.map(({ first, last }) => [first, last]);
    const groups = [...places.map(([first, last]) => sumOf(vectors, first, last)), null];
    const ends = [sumOf(vectors, 0, 0), sumOf(vectors, ids.length - 1, ids.length - 1)];
    groups[words.length] = ends[0].map((x, j) => x + ends[1][j]);
    return { words: words.map(({ text: word }) => word), groups, scale: ids.length * length };
  });
  const [{ groups: rows, scale: left }, { groups: columns, scale: right }] = sides;
  const table = rows.map((row) => columns.map((column) => dot(row, column) / (left * right)));
  const score = table.flat().reduce((sum, x) => sum + x, 0);
  return { score, words: sides.map((side) => side.words), table };
};

const sumOf = (vectors, first, last) => {
  const sum = new Float64Array(HIDDEN);
  for (let i = first; i <= last; i++) {
    for (let j = 0; j < HIDDEN; j++) sum[j] += vectors[i * HIDDEN + j];
  }
  return sum;
};

const dot = (a, b) => {
  let sum = 0;
  for (let j = 0; j < HIDDEN; j++) sum += a[j] * b[j];
  return sum;
};

// For each word of both texts, the score without it; null where nothing is left of its text.
const leaveOut = async (engine, tokenizer, a, b) => {
  const [first, second] = engine.embed([tokenizer(a).ids, tokenizer(b).ids]);
  const without = async (text, other) => {
    const scores = [];
    for (const { start, end } of tokenizer(text).words) {
      const rest = tokenizer(text.slice(0, start) + text.slice(end));
      scores.push(rest.words.length ? dot(engine.embed([rest.ids])[0], other) : null);
      // Let the page answer its reader between words.
      await new Promise((done) => setTimeout(done));
    }
    return scores;
  };
  return [await without(a, second), await without(b, first)];
};
