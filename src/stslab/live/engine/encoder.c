// A BERT encoder of the size of all-MiniLM-L6-v2: freestanding C for WebAssembly SIMD.
//
// Only +, -, *, / and square roots in a fixed order, no fused multiply-add: every browser and
// machine gives the same bits. All memory is laid out and handed in by engine.js.
typedef float vec __attribute__((vector_size(16), aligned(4)));
typedef int mask __attribute__((vector_size(16), aligned(4)));
#define EXPORT __attribute__((visibility("default")))
#define HIDDEN 384
#define INNER 1536
#define HEADS 12
#define HEAD 32
#define EPSILON 1e-12 // of layer normalisation

extern unsigned char __heap_base;
EXPORT unsigned char *heap(void) { return &__heap_base; }

static inline vec all(float x) { return (vec){x, x, x, x}; }
static inline vec load(const float *from) { return *(const vec *)from; }
static inline void store(float *to, vec x) { *(vec *)to = x; }
static inline vec choose(mask m, vec yes, vec no) { return (vec)(((mask)yes & m) | ((mask)no & ~m)); }

// A matrix of `rows` x `columns` as panels [rows / 8][columns][8], the order in which `linear`
// reads it.
EXPORT void pack(const float *from, float *to, int rows, int columns) {
  for (int r = 0; r < rows; r++) {
    float *panel = to + (r / 8) * 8 * columns + r % 8;
    for (int c = 0; c < columns; c++) panel[c * 8] = from[r * columns + c];
  }
}

// Eight outputs of a few rows; `rows` is a constant where this is inlined, so sums stay in
// registers. Each sum runs over the inputs in order, whatever the number of rows: that is why an
// embedding is the same bits alone and in company.
static inline __attribute__((always_inline)) void panel(const int rows, const float *x, int inputs,
    const float *w, const float *bias, float *y, int outputs) {
  vec low[4], high[4];
  for (int r = 0; r < rows; r++) low[r] = high[r] = all(0);
  for (int k = 0; k < inputs; k++, w += 8) {
    vec w0 = load(w), w1 = load(w + 4);
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {
      vec input = all(x[r * inputs + k]);
      low[r] += input * w0;
      high[r] += input * w1;
    }
  }
  for (int r = 0; r < rows; r++) {
    store(y + r * outputs, low[r] + load(bias));
    store(y + r * outputs + 4, high[r] + load(bias + 4));
  }
}

// y[n][outputs] = x[n][inputs] W^T + bias. W is packed, its bias follows; gives what comes next.
static const float *linear(const float *x, int n, int inputs, const float *w, float *y,
    int outputs) {
  const float *bias = w + inputs * outputs;
  for (int p = 0; p < outputs; p += 8, w += 8 * inputs) {
    int i = 0;
    for (; i + 4 <= n; i += 4) panel(4, x + i * inputs, inputs, w, bias + p, y + i * outputs + p, outputs);
    const float *rest = x + i * inputs;
    float *to = y + i * outputs + p;
    if (n - i == 3) panel(3, rest, inputs, w, bias + p, to, outputs);
    if (n - i == 2) panel(2, rest, inputs, w, bias + p, to, outputs);
    if (n - i == 1) panel(1, rest, inputs, w, bias + p, to, outputs);
  }
  return bias + outputs;
}

// x = normalised (x + residual), scaled and shifted by what stands at w; gives what comes next.
static const float *layer_norm(float *x, const float *residual, int n, const float *w) {
  const float *scale = w, *shift = w + HIDDEN;
  for (int i = 0; i < n; i++, x += HIDDEN) {
    double sum = 0, squares = 0;
    for (int j = 0; j < HIDDEN; j++) {
      if (residual) x[j] += residual[i * HIDDEN + j];
      sum += x[j];
    }
    double mean = sum / HIDDEN;
    for (int j = 0; j < HIDDEN; j++) squares += (x[j] - mean) * (x[j] - mean);
    float inverse = (float)(1 / __builtin_sqrt(squares / HIDDEN + EPSILON)), center = (float)mean;
    for (int j = 0; j < HIDDEN; j++) x[j] = (x[j] - center) * inverse * scale[j] + shift[j];
  }
  return w + 2 * HIDDEN;
}

// e^x for x <= 0: 2^n times the polynomial of Cephes' expf.
static inline vec exponential(vec x) {
  x = choose(x < all(-87.0f), all(-87.0f), x);
  // Truncation rounds to the nearest whole number here, because the argument is negative.
  mask n = __builtin_convertvector(x * all(1.44269504088896341f) - all(0.5f), mask);
  vec whole = __builtin_convertvector(n, vec);
  x -= whole * all(0.693359375f); // ln 2 in two parts
  x -= whole * all(-2.12194440e-4f);
  vec p = all(1.9875691500e-4f);
  p = p * x + all(1.3981999507e-3f);
  p = p * x + all(8.3334519073e-3f);
  p = p * x + all(4.1665795894e-2f);
  p = p * x + all(1.6666665459e-1f);
  p = p * x + all(5.0000001201e-1f);
  p = p * x * x + x + all(1.0f);
  return p * (vec)((n + 127) << 23);
}

// x (1 + erf(x / sqrt 2)) / 2, with the rational approximation of erf that Eigen uses.
static inline vec gelu(vec x) {
  vec z = x * all(0.70710678118654752f);
  z = choose(z > all(4.0f), all(4.0f), z);
  z = choose(z < all(-4.0f), all(-4.0f), z);
  vec q = z * z;
  vec a = all(-2.72614225801306e-10f);
  a = a * q + all(2.77068142495902e-08f);
  a = a * q + all(-2.10102402082508e-06f);
  a = a * q + all(-5.69250639462346e-05f);
  a = a * q + all(-7.34990630326855e-04f);
  a = a * q + all(-2.95459980854025e-03f);
  a = a * q + all(-1.60960333262415e-02f);
  vec b = all(-1.45660718464996e-05f);
  b = b * q + all(-2.13374055278905e-04f);
  b = b * q + all(-1.68282697438203e-03f);
  b = b * q + all(-7.37332916720468e-03f);
  b = b * q + all(-1.42647390514189e-02f);
  return all(0.5f) * x * (all(1.0f) + z * a / b);
}

// One text's attention; s is room for n scores, rounded up to a multiple of 4.
static void attention(const float *queries, const float *keys, const float *values, float *out,
    int n, float *s) {
  const float scale = 0.17677669529663687f; // 1 / sqrt(HEAD)
  for (int at = 0; at < HIDDEN; at += HEAD) for (int i = 0; i < n; i++) {
    const float *query = queries + i * HIDDEN + at;
    float most = -1e30f;
    for (int j = 0; j < n; j++) {
      const float *key = keys + j * HIDDEN + at;
      vec dot = all(0);
      for (int d = 0; d < HEAD; d += 4) dot += load(query + d) * load(key + d);
      s[j] = ((dot[0] + dot[1]) + (dot[2] + dot[3])) * scale;
      if (s[j] > most) most = s[j];
    }
    int end = (n + 3) & ~3;
    for (int j = n; j < end; j++) s[j] = -1e30f;
    for (int j = 0; j < end; j += 4) store(s + j, exponential(load(s + j) - all(most)));
    float sum = 0;
    for (int j = 0; j < n; j++) sum += s[j];
    vec mix[HEAD / 4];
    for (int d = 0; d < HEAD / 4; d++) mix[d] = all(0);
    for (int j = 0; j < n; j++) {
      const float *value = values + j * HIDDEN + at;
      for (int d = 0; d < HEAD / 4; d++) mix[d] += all(s[j]) * load(value + 4 * d);
    }
    vec inverse = all(1.0f / sum);
    for (int d = 0; d < HEAD / 4; d++) store(out + i * HIDDEN + at + 4 * d, mix[d] * inverse);
  }
}

// Encode `texts` texts of n tokens together.
//   x        [n][HIDDEN]  in: word + type + position vectors; out: the last hidden states
//   lengths  [texts]      tokens of each text, in the order in which they stand in x
//   w                     scale and shift of the embeddings, then of each layer: query, key,
//                         value, output, scale and shift, inner, outer, scale and shift;
//                         each matrix packed, followed by its bias
//   room                  n * (4 * HIDDEN + INNER) + 512 floats
//   means    [texts][HIDDEN]  out: the mean of each text's last hidden states
EXPORT void forward(float *x, int n, const int *lengths, int texts, int layers, const float *w,
    float *room, float *means) {
  float *q = room, *k = q + n * HIDDEN, *v = k + n * HIDDEN, *mixed = v + n * HIDDEN;
  float *inner = mixed + n * HIDDEN, *scores = inner + n * INNER;
  w = layer_norm(x, 0, n, w);
  for (int layer = 0; layer < layers; layer++) {
    w = linear(x, n, HIDDEN, w, q, HIDDEN);
    w = linear(x, n, HIDDEN, w, k, HIDDEN);
    w = linear(x, n, HIDDEN, w, v, HIDDEN);
    for (int i = 0, at = 0; i < texts; at += lengths[i++] * HIDDEN)
      attention(q + at, k + at, v + at, mixed + at, lengths[i], scores);
    w = linear(mixed, n, HIDDEN, w, q, HIDDEN);
    w = layer_norm(q, x, n, w);
    w = linear(q, n, HIDDEN, w, inner, INNER);
    for (int i = 0; i < n * INNER; i += 4) store(inner + i, gelu(load(inner + i)));
    w = linear(inner, n, INNER, w, x, HIDDEN);
    w = layer_norm(x, q, n, w);
  }
  for (int i = 0; i < texts; x += lengths[i++] * HIDDEN, means += HIDDEN)
    for (int j = 0; j < HIDDEN; j++) {
      double sum = 0;
      for (int r = 0; r < lengths[i]; r++) sum += x[r * HIDDEN + j];
      means[j] = (float)(sum / lengths[i]);
    }
}
