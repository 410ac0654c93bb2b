  // A list's different texts, their scores, which of them say nearly the same, and ranks, as Python
  // finds them: the same repeats, the same joins, the same order of ties. See scores/,
  // studies/repeats.py and studies/themes/members.py in stslab.

  // What texts share that differ in capitals, spaces or final punctuation only.
  function repeatKey(text, { spaces, finalMarks }) {
    const words = withSingleSpaces(Array.from(text.normalize("NFKC"), folded).join(""), spaces);
    let end = words.length;
    while (end && finalMarks.includes(words[end - 1])) end--;
    return words.slice(0, end) || words;
  }

  // Each different text in its most frequent spelling, with the numbers of its rows.
  function differentTexts(lines, lexicon) {
    const rowsByKey = new Map();
    lines.forEach((line, i) => {
      const key = repeatKey(line, lexicon);
      rowsByKey.set(key, [...rowsByKey.get(key) || [], i + 1]);
    });
    return [...rowsByKey.values()].map((rows) => {
      const times = new Map();
      for (const row of rows) times.set(lines[row - 1], (times.get(lines[row - 1]) || 0) + 1);
      const most = Math.max(...times.values());
      const text = [...times.keys()].find((spelling) => times.get(spelling) === most);
      return { text, rows, hasContent: hasContent(text, lexicon) };
    });
  }

  const clip = (score) => Math.max(-1, Math.min(1, Math.round(score * 1e12) / 1e12)) + 0;

  // To length 1 in double precision, as Python has it: 32 bits leave an error of 1e-7.
  function unitOf(vector) {
    const length = Math.sqrt(dot(vector, vector)) || 1;
    return Float64Array.from(vector, (x) => x / length);
  }

  function similarities(embeddings) {
    const n = embeddings.length, matrix = new Float32Array(n * n), vectors = embeddings.map(unitOf);
    for (let i = 0; i < n; i++) {
      const one = vectors[i];
      for (let j = i; j < n; j++) {
        // Four sums at a time take about half as long as `dot`, where each addition waits.
        const other = vectors[j];
        let a = 0, b = 0, c = 0, d = 0;
        for (let k = 0; k < HIDDEN; k += 4) {
          a += one[k] * other[k];
          b += one[k + 1] * other[k + 1];
          c += one[k + 2] * other[k + 2];
          d += one[k + 3] * other[k + 3];
        }
        matrix[i * n + j] = matrix[j * n + i] = clip(a + b + c + d);
      }
    }
    return matrix;
  }

  // Hierarchical clustering by chains of nearest neighbors, as scipy.cluster.hierarchy.linkage has
  // it: rows of [left, right, distance], by distance; n + i is what row i joined. `combine` gives the
  // distance of a cluster to two that are joined, from their sizes and its distances to them.
  const average = (a, b, toA, toB) => (a * toA + b * toB) / (a + b);
  const complete = (a, b, toA, toB) => Math.max(toA, toB);

  function linkage(scores, n, combine) {
    const far = Float64Array.from(scores, (score) => Math.max(0, 1 - score));
    const size = new Int32Array(n).fill(1), chain = [], merges = [];
    while (merges.length < n - 1) {
      if (!chain.length) chain.push(size.findIndex((members) => members > 0));
      let x, y, nearest;
      for (;;) {
        x = chain.at(-1);
        y = chain.at(-2);
        nearest = y === undefined ? Infinity : far[x * n + y];
        for (let i = 0; i < n; i++) {
          if (size[i] && i !== x && far[x * n + i] < nearest) nearest = far[x * n + (y = i)];
        }
        if (y === chain.at(-2)) break;
        chain.push(y);
      }
      chain.length -= 2;
      if (x > y) [x, y] = [y, x];
      merges.push([x, y, nearest]);
      const [a, b] = [size[x], size[y]];
      [size[x], size[y]] = [0, a + b];
      for (let i = 0; i < n; i++) {
        if (!size[i] || i === y) continue;
        far[y * n + i] = far[i * n + y] = combine(a, b, far[i * n + x], far[i * n + y]);
      }
    }
    merges.sort((one, other) => one[2] - other[2]);
    const parents = Int32Array.from({ length: 2 * n - 1 }, (_, i) => i);
    const rootOf = (i) => parents[i] === i ? i : parents[i] = rootOf(parents[i]);
    return merges.map(([x, y, distance], i) => {
      const [a, b] = [rootOf(x), rootOf(y)].sort((one, other) => one - other);
      parents[a] = parents[b] = n + i;
      return [a, b, distance];
    });
  }

  // The order in which texts that are alike stand together.
  function alikeTogether(matrix, n) {
    const tree = linkage(matrix, n, average), order = [], waiting = [2 * n - 2];
    while (waiting.length) {
      const node = waiting.pop();
      if (node < n) order.push(node);
      else waiting.push(tree[node - n][1], tree[node - n][0]);
    }
    return order;
  }

  // Groups of texts in which every two score at least a threshold: their positions, the largest group
  // first. Scores are compared at four decimals.
  function nearlyTheSame(texts, matrix, threshold) {
    const n = texts.length, groups = [];
    const score = (i, j) => Math.round(matrix[i * n + j] * 1e4) / 1e4;
    const waiting = new Set(texts.keys());
    texts.forEach((text, i) => text.hasContent || waiting.delete(i));
    for (const first of waiting) {
      // Texts that reach each other from one to the next. Both loops go on with what is added.
      const chain = [first];
      waiting.delete(first);
      for (const i of chain) {
        for (const j of waiting) {
          if (score(i, j) < threshold) continue;
          waiting.delete(j);
          chain.push(j);
        }
      }
      if (chain.length > 1) groups.push(...chainGroups(chain.sort((i, j) => i - j), score, threshold));
    }
    return groups.sort((one, other) => other.length - one.length || one[0] - other[0]);
  }

  function chainGroups(chain, score, threshold) {
    const n = chain.length;
    const tree = linkage(chain.flatMap((i) => chain.map((j) => score(i, j))), n, complete);
    const label = Int32Array.from({ length: 2 * n - 1 }, (_, i) => i);
    for (let i = n - 2; i >= 0; i--) {
      const [left, right, distance] = tree[i];
      if (distance <= 1 - threshold + 1e-9) label[left] = label[right] = label[n + i];
    }
    const groups = new Map();
    chain.forEach((i, at) => groups.set(label[at], [...groups.get(label[at]) || [], i]));
    return [...groups.values()].filter((group) => group.length > 1);
  }

  // A group's texts, the one nearest to all others first; ties keep their order.
  function byTypicality(group, matrix, n) {
    const closeness = (i) => {
      const sum = group.reduce((all, j) => all + matrix[i * n + j], 0);
      return Math.round(sum * 1e4);
    };
    return [...group].sort((i, j) => closeness(j) - closeness(i));
  }

  const MOST_PAIRS = 10_000;

  // Pairs of texts with content that reach a threshold, else the closest one; closest first, ties by
  // their rows. Scores have 32 bits, and so has what they are compared with: 0.7 reaches 0.7.
  function closestPairs(texts, matrix, threshold) {
    const n = texts.length, positions = [...texts.keys()].filter((i) => texts[i].hasContent);
    let best = -2;
    for (const i of positions) {
      for (const j of positions) if (i < j) best = Math.max(best, matrix[i * n + j]);
    }
    const least = Math.fround(Math.min(threshold, best)), pairs = [];
    for (const i of positions) {
      for (const j of positions) {
        const score = matrix[i * n + j];
        if (i < j && score >= least) pairs.push({ score, a: texts[i], b: texts[j] });
      }
    }
    // The sort is stable.
    return pairs.sort((one, other) => other.score - one.score).slice(0, MOST_PAIRS);
  }

  function rank(query, vectors) {
    const asked = unitOf(query);
    const scored = vectors.map((vector, index) => ({ index, score: clip(dot(asked, unitOf(vector))) }));
    return scored.sort((a, b) => b.score - a.score);
  }

  const judge = (score, { near, far }) => {
    if (near === null) return "not known";
    return score >= near ? "near" : score >= far ? "doubtful" : "nothing near";
  };
