// Runs encoder.wasm: token ids to embeddings. Lays out its memory, in bytes from its heap on.

const HIDDEN = 384;
const INNER = 1536;
const BATCH = 512;

// The engine takes the model's tensors: the list is empty afterwards.
const makeEngine = async (wasmBytes, model) => {
  const { instance } = await WebAssembly.instantiate(wasmBytes, {});
  const { memory, heap, pack, forward } = instance.exports;
  let top = heap() + 63 & ~63;
  const allocate = (count) => {
    const place = top;
    top = top + 4 * count + 63 & ~63;
    const missing = top - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return place;
  };
  const floats = (place, count) => new Float32Array(memory.buffer, place, count);

  const [word, position, type, ...layers] = model.tensors.splice(0);
  const weights = allocate(layers.reduce((sum, each) => sum + each.values.length, 0));
  const room = allocate(BATCH * (4 * HIDDEN + INNER) + 512);
  const input = allocate(BATCH * HIDDEN);
  const lengths = allocate(BATCH);
  const means = allocate(BATCH * HIDDEN);
  let place = weights;
  for (const { shape, values } of layers) {
    if (shape.length === 1) floats(place, values.length).set(values);
    else {
      floats(room, values.length).set(values);
      pack(room, place, ...shape);
    }
    place += 4 * values.length;
  }

  // The sum of word, type and position vectors, in the order in which PyTorch adds them.
  const addVectors = (list) => {
    const to = floats(input, BATCH * HIDDEN);
    let at = 0;
    for (const ids of list) {
      ids.forEach((id, n) => {
        for (let j = 0; j < HIDDEN; j++) {
          const sum = Math.fround(word.values[id * HIDDEN + j] + type.values[j]);
          to[at++] = sum + position.values[n * HIDDEN + j];
        }
      });
    }
    return at / HIDDEN;
  };

  const run = (list) => {
    new Int32Array(memory.buffer, lengths, list.length).set(list.map((ids) => ids.length));
    forward(input, addVectors(list), lengths, list.length, model.layers, weights, room, means);
  };

  const normalised = (place) => {
    const mean = floats(place, HIDDEN);
    const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0));
    return mean.map((x) => x / length);
  };

  // A normalised embedding for each list of ids; the same bits alone and in company.
  const embed = (list) => {
    const embeddings = [];
    for (let from = 0; from < list.length;) {
      let end = from;
      let tokens = 0;
      while (end < list.length && tokens + list[end].length <= BATCH) tokens += list[end++].length;
      run(list.slice(from, end));
      for (let i = 0; i < end - from; i++) embeddings.push(normalised(means + 4 * HIDDEN * i));
      from = end;
    }
    return embeddings;
  };

  // The last hidden state of each token, and their mean, not normalised.
  const states = (ids) => {
    run([ids]);
    return { vectors: floats(input, ids.length * HIDDEN).slice(), mean: floats(means, HIDDEN).slice() };
  };

  return { embed, states };
};
