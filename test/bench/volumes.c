/* Loss and gradient as a person writes them in C: plain loops over float32 arrays, sums in double,
   the activation kept in the output between the two passes. volumes.py compiles it with gcc -O3
   -march=native, where there is one. Each writes n entries to `out` and returns the loss. */
#include <math.h>
#include <stddef.h>

#define EPS 1e-5
#define CLASSES 4

double sigmoid(const float *x, const float *t, float *out, size_t n) {
  double shared = 0, p_sum = 0, t_sum = 0;
  for (size_t k = 0; k < n; k++) {
    float p = 1 / (1 + expf(-x[k]));
    out[k] = p;
    shared += p * t[k];
    p_sum += p;
    t_sum += t[k];
  }
  double top = 2 * shared + EPS, bottom = p_sum + t_sum + EPS;
  float all = top / (bottom * bottom), own = 2 / bottom;
  for (size_t k = 0; k < n; k++) {
    float p = out[k];
    out[k] = (all - own * t[k]) * p * (1 - p);
  }
  return 1 - top / bottom;
}

double probabilities(const float *x, const float *t, float *out, size_t n) {
  double shared = 0, p_sum = 0, t_sum = 0;
  for (size_t k = 0; k < n; k++) {
    shared += x[k] * t[k];
    p_sum += x[k];
    t_sum += t[k];
  }
  double top = 2 * shared + EPS, bottom = p_sum + t_sum + EPS;
  float all = top / (bottom * bottom), own = 2 / bottom;
  for (size_t k = 0; k < n; k++) out[k] = all - own * t[k];
  return 1 - top / bottom;
}

double softmax(const float *x, const float *t, float *out, size_t n) {
  size_t m = n / CLASSES;
  double shared[CLASSES] = {0}, both[CLASSES] = {0};
  for (size_t k = 0; k < m; k++) {
    float top = x[k], sum = 0;
    for (int c = 1; c < CLASSES; c++) top = fmaxf(top, x[k + c * m]);
    for (int c = 0; c < CLASSES; c++) sum += out[k + c * m] = expf(x[k + c * m] - top);
    for (int c = 0; c < CLASSES; c++) {
      float p = out[k + c * m] /= sum;
      shared[c] += p * t[k + c * m];
      both[c] += p + t[k + c * m];
    }
  }
  float all[CLASSES], own[CLASSES];
  double loss = 1;
  for (int c = 0; c < CLASSES; c++) {
    double top = 2 * shared[c] + EPS, bottom = both[c] + EPS;
    loss -= top / bottom / CLASSES;
    all[c] = top / (bottom * bottom) / CLASSES;
    own[c] = 2 / bottom / CLASSES;
  }
  for (size_t k = 0; k < m; k++) {
    float inner = 0;
    for (int c = 0; c < CLASSES; c++) inner += (all[c] - own[c] * t[k + c * m]) * out[k + c * m];
    for (int c = 0; c < CLASSES; c++)
      out[k + c * m] *= all[c] - own[c] * t[k + c * m] - inner;
  }
  return loss;
}
