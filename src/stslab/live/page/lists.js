  // A list's scores, groups, closest pairs and ranks, as Python finds them: the same merges, the
  // same cuts, the same order of ties. See stslab/studies/groups.py, terms.py and scores/.
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

  // Average linkage by chains of nearest neighbours, as scipy.cluster.hierarchy.linkage has it:
  // rows of [left, right, distance], by distance; n + i is what row i joined.
  function linkage(matrix, n) {
    const far = Float64Array.from(matrix, (score) => Math.max(0, 1 - score));
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
        far[y * n + i] = far[i * n + y] = (a * far[i * n + x] + b * far[i * n + y]) / (a + b);
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

  function leaves(tree, n) {
    const order = [], waiting = [2 * n - 2];
    while (waiting.length) {
      const node = waiting.pop();
      if (node < n) order.push(node);
      else waiting.push(tree[node - n][1], tree[node - n][0]);
    }
    return order;
  }

  // The number of each sentence's group when the tree is cut where groups score less on average.
  function cutAt(tree, n, score) {
    const label = Int32Array.from({ length: 2 * n - 1 }, (_, i) => i);
    for (let i = tree.length - 1; i >= 0; i--) {
      if (tree[i][2] <= 1 - score) label[tree[i][0]] = label[tree[i][1]] = label[n + i];
    }
    return label.slice(0, n);
  }

  // Rousseeuw (1987), on distances.
  function silhouette(matrix, n, label) {
    const groups = [...new Set(label)], place = new Map(groups.map((group, i) => [group, i]));
    const of = label.map((group) => place.get(group)), size = new Float64Array(groups.length);
    for (const group of of) size[group]++;
    let total = 0;
    const sums = new Float64Array(groups.length);
    for (let i = 0; i < n; i++) {
      if (size[of[i]] === 1) continue;
      sums.fill(0);
      for (let j = 0; j < n; j++) if (j !== i) sums[of[j]] += Math.max(0, 1 - matrix[i * n + j]);
      const inside = sums[of[i]] / (size[of[i]] - 1);
      let outside = Infinity;
      for (let g = 0; g < size.length; g++) if (g !== of[i]) outside = Math.min(outside, sums[g] / size[g]);
      total += (outside - inside) / Math.max(inside, outside) || 0;
    }
    return Math.round(total / n * 1e6) / 1e6;
  }

  function mostDistinct(matrix, n, tree, cuts) {
    let best = [0, 0.5];
    for (const cut of cuts) {
      const label = cutAt(tree, n, cut), groups = new Set(label).size;
      if (groups < 2 || groups >= n) continue;
      const score = silhouette(matrix, n, label);
      if (score > best[0] || (score === best[0] && cut > best[1])) best = [score, cut];
    }
    return best[1];
  }

  // Python counts and orders characters, JavaScript halves of some.
  const lengthOf = (text) => [...text].length;
  const inOrder = (one, other) => {
    const [a, b] = [[...one], [...other]], i = a.findIndex((c, at) => c !== b[at]);
    return i < 0 ? a.length - b.length : a[i].codePointAt() - (b[i] ?? "\0").codePointAt();
  };
  const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/;

  function termsOf(text, lexicon) {
    const plain = text.replace(/['’]/g, "").replace(/[^\p{L}\p{M}\p{N}]/gu, " ").toLowerCase();
    return plain.split(" ").flatMap((word) => {
      if (!UNSPACED.test(word)) return lengthOf(word) > 1 && !lexicon.stopWords.includes(word) ? [word] : [];
      const letters = [...word];
      return letters.slice(0, Math.max(1, letters.length - 1)).map((_, i) => letters.slice(i, i + 2).join(""));
    });
  }

  // What sets each group apart: class-based TF-IDF, a term counting once in a sentence.
  function groupTerms(sentences, label, lexicon) {
    const counts = new Map([...new Set(label)].map((group) => [group, new Map()])), everywhere = new Map();
    let total = 0;
    sentences.forEach((sentence, i) => {
      for (const term of new Set(termsOf(sentence, lexicon))) {
        const of = counts.get(label[i]);
        of.set(term, (of.get(term) || 0) + 1);
        everywhere.set(term, (everywhere.get(term) || 0) + 1);
        total++;
      }
    });
    const named = new Map();
    for (const [group, of] of counts) {
      const weighed = [...of].map(([term, count]) => {
        const weight = count * Math.log1p(total / counts.size / everywhere.get(term));
        return [Math.round(weight * 1e9), term];
      });
      weighed.sort(([a, one], [b, other]) => b - a || inOrder(one, other));
      named.set(group, weighed.slice(0, 3).map(([, term]) => {
        return lengthOf(term) > 20 ? [...term].slice(0, 19).join("") + "…" : term;
      }).join(" · "));
    }
    return named;
  }

  // Rows in the tree's order; group 0 stands alone, -1 has no content. `vectors` are of each line.
  function groupSentences(lines, vectors, lexicon) {
    const where = new Map();
    lines.forEach((line, i) => where.set(line, [...where.get(line) || [], i + 1]));
    const unique = [...where.keys()], n = unique.length;
    const unordered = similarities(unique.map((line) => vectors.get(line)));
    const tree = linkage(unordered, n), order = leaves(tree, n);
    const matrix = new Float32Array(n * n);
    order.forEach((from, i) => order.forEach((to, j) => { matrix[i * n + j] = unordered[from * n + to]; }));
    const cut = mostDistinct(unordered, n, tree, lexicon.cuts), flat = cutAt(tree, n, cut);
    const says = order.map((i) => hasContent(unique[i], lexicon));
    const label = order.map((from, i) => says[i] ? flat[from] : -1 - i);
    const table = order.map((from, i) => {
      const rows = where.get(unique[from]);
      let nearest = -1;
      for (let j = 0; j < n; j++) {
        if (j !== i && says[j] && (nearest < 0 || matrix[i * n + j] > matrix[i * n + nearest])) nearest = j;
      }
      return { sentence: unique[from], rows, row: rows[0], times: rows.length,
        nearest: nearest < 0 ? "" : unique[order[nearest]], score: nearest < 0 ? NaN : matrix[i * n + nearest] };
    });
    const groups = new Map();
    label.forEach((group, i) => groups.set(group, [...groups.get(group) || [], table[i]]));
    const times = (members) => members.reduce((sum, row) => sum + row.times, 0);
    const first = (members) => Math.min(...members.map(({ row }) => row));
    const joined = [...groups].filter(([, members]) => members.length > 1);
    joined.sort(([, a], [, b]) => times(b) - times(a) || first(a) - first(b));
    const number = new Map(joined.map(([group], i) => [group, i + 1]));
    table.forEach((row, i) => { row.group = says[i] ? number.get(label[i]) || 0 : -1; });
    const named = groupTerms(table.map(({ sentence }) => sentence), label, lexicon);
    return { table, matrix, cut, terms: joined.map(([group]) => named.get(group)) };
  }

  const MOST_PAIRS = 10_000;

  // Pairs that reach a threshold, else the closest one; closest first, ties by their rows. Scores
  // have 32 bits, and so has what they are compared with: 0.7 reaches 0.7.
  function closestPairs({ table, matrix }, threshold) {
    const n = table.length, found = [];
    const says = table.map(({ group }) => group >= 0);
    const best = table.reduce((most, { score }, i) => says[i] && score > most ? score : most, -2);
    const least = Math.fround(Math.min(threshold, best));
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; says[i] && j < n; j++) {
        const score = matrix[i * n + j], first = table[i].row < table[j].row;
        if (says[j] && score >= least) found.push({ score, a: table[first ? i : j], b: table[first ? j : i] });
      }
    }
    found.sort((one, other) => other.score - one.score || one.a.row - other.a.row || one.b.row - other.b.row);
    return found.slice(0, MOST_PAIRS).map(({ score, a, b }) => {
      return { score, sentence_a: a.sentence, sentence_b: b.sentence, row_a: a.row, row_b: b.row };
    });
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
