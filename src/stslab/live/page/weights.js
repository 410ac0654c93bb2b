// Unpacks the model that stslab/live/weights.py packed: base64, gzip, header, tensors.

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Bytes of base64 text without line breaks; by hand where a browser cannot (before 2025).
const decodeBase64 = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const table = new Uint8Array(128);
  [...BASE64].forEach((letter, value) => { table[letter.charCodeAt(0)] = value; });
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array(text.length / 4 * 3 - padding);
  for (let i = 0, to = 0; i < text.length; i += 4) {
    let group = 0;
    for (let j = 0; j < 4; j++) group = group << 6 | table[text.charCodeAt(i + j)];
    // Writing beyond the end does nothing: padding needs no case of its own.
    bytes[to++] = group >> 16;
    bytes[to++] = group >> 8;
    bytes[to++] = group;
  }
  return bytes;
};

// A reader of gunzipped base64: take(n) gives the next n bytes. Text is decoded in slices, so that
// neither the compressed nor the whole unpacked block is ever in memory.
const openBase64 = (text) => {
  const slice = 1 << 20;
  let at = 0;
  const compressed = new ReadableStream({
    pull(controller) {
      if (at >= text.length) return controller.close();
      controller.enqueue(decodeBase64(text.slice(at, at + slice)));
      at += slice;
    },
  });
  const reader = compressed.pipeThrough(new DecompressionStream("gzip")).getReader();
  let chunk = new Uint8Array(0);
  return async (count) => {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      if (!chunk.length) {
        const { done, value } = await reader.read();
        if (done) throw new Error("The model in this file is cut short.");
        chunk = value;
      }
      const part = chunk.subarray(0, count - filled);
      bytes.set(part, filled);
      filled += part.length;
      chunk = chunk.subarray(part.length);
    }
    return bytes;
  };
};

// Four planes of bytes of float32 numbers, lowest bytes first.
const exactValues = (bytes, size) => {
  const values = new Float32Array(size);
  const raw = new Uint32Array(values.buffer);
  const [one, two, three] = [size, 2 * size, 3 * size];
  for (let i = 0; i < size; i++) {
    raw[i] = bytes[i] | bytes[one + i] << 8 | bytes[two + i] << 16 | bytes[three + i] << 24;
  }
  return values;
};

// Whole numbers of steps: a plane of signed high bytes, then one plane for each lower bit.
const steppedValues = (bytes, size, bits, step) => {
  const high = new Int8Array(bytes.buffer, 0, size);
  const values = new Float32Array(size);
  const plane = size / 8;
  const scale = 2 ** -step;
  const eight = new Int32Array(8);
  for (let i = 0; i < size; i += 8) {
    for (let j = 0; j < 8; j++) eight[j] = high[i + j] << bits;
    for (let bit = 0, from = size + i / 8; bit < bits; bit++, from += plane) {
      const byte = bytes[from];
      for (let j = 0; j < 8; j++) eight[j] |= (byte >> j & 1) << bit;
    }
    for (let j = 0; j < 8; j++) values[i + j] = eight[j] * scale;
  }
  return values;
};

// Unpack the model whose base64 text an element holds; the text is cleared to free its memory.
const unpack = async (element) => {
  const text = element.textContent;
  element.textContent = "";
  const take = openBase64(text);
  const length = new DataView((await take(4)).buffer).getUint32(0, true);
  const { extra, ...model } = JSON.parse(new TextDecoder().decode(await take(length)));
  for (const tensor of model.tensors) {
    const { shape, bits, step } = tensor;
    const size = shape.reduce((a, b) => a * b);
    tensor.values = bits === undefined
      ? exactValues(await take(4 * size), size)
      : steppedValues(await take(size + bits * size / 8), size, bits, step);
  }
  return { model, extra };
};
