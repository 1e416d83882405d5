/* The losses of volumes.c as an expert writes them for processors with AVX-512: a polynomial for
   exp, float32 sums of blocks added up in double, the activation kept in the output between the two
   passes. A bound of what any other code can reach there. Empty where the compiler has no AVX-512. */
#ifdef __AVX512F__
#include <immintrin.h>
#include <stddef.h>

#define EPS 1e-5
#define CLASSES 4
/* Entries whose sums are made in float32. */
#define BLOCK 4096

typedef __m512 V;
#define ALL(x) _mm512_set1_ps(x)

static inline __mmask16 lanes(size_t left) { return left >= 16 ? 0xffff : (1u << left) - 1; }

/* e^x for |x| < 87. */
static inline V exponential(V x) {
  V n = _mm512_roundscale_ps(_mm512_mul_ps(x, ALL(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  V r = _mm512_fnmadd_ps(n, ALL(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, ALL(-2.12194440e-4f), r);
  V q = ALL(1.f / 720);
  q = _mm512_fmadd_ps(q, r, ALL(1.f / 120));
  q = _mm512_fmadd_ps(q, r, ALL(1.f / 24));
  q = _mm512_fmadd_ps(q, r, ALL(1.f / 6));
  q = _mm512_fmadd_ps(q, r, ALL(0.5f));
  q = _mm512_fmadd_ps(q, r, ALL(1));
  q = _mm512_fmadd_ps(q, r, ALL(1));
  return _mm512_scalef_ps(q, n);
}

static inline double binary(const float *x, const float *t, float *out, size_t n, int logits) {
  double shared = 0, p_sum = 0, t_sum = 0;
  for (size_t from = 0; from < n; from += BLOCK) {
    size_t to = from + BLOCK < n ? from + BLOCK : n;
    V s = ALL(0), ps = s, ts = s;
    for (size_t k = from; k < to; k += 16) {
      __mmask16 m = lanes(to - k);
      V p = _mm512_maskz_loadu_ps(m, x + k), y = _mm512_maskz_loadu_ps(m, t + k);
      if (logits) {
        V e = exponential(_mm512_sub_ps(ALL(0), p));
        p = _mm512_maskz_div_ps(m, ALL(1), _mm512_add_ps(ALL(1), e));
        _mm512_mask_storeu_ps(out + k, m, p);
      }
      s = _mm512_fmadd_ps(p, y, s);
      ps = _mm512_add_ps(ps, p);
      ts = _mm512_add_ps(ts, y);
    }
    shared += _mm512_reduce_add_ps(s);
    p_sum += _mm512_reduce_add_ps(ps);
    t_sum += _mm512_reduce_add_ps(ts);
  }
  double top = 2 * shared + EPS, bottom = p_sum + t_sum + EPS;
  V all = ALL(top / (bottom * bottom)), own = ALL(2 / bottom);
  for (size_t k = 0; k < n; k += 16) {
    __mmask16 m = lanes(n - k);
    V g = _mm512_fnmadd_ps(own, _mm512_maskz_loadu_ps(m, t + k), all);
    if (logits) {
      V p = _mm512_maskz_loadu_ps(m, out + k);
      g = _mm512_mul_ps(g, p);
      g = _mm512_fnmadd_ps(g, p, g);
    }
    _mm512_mask_storeu_ps(out + k, m, g);
  }
  return 1 - top / bottom;
}

double sigmoid_avx512(const float *x, const float *t, float *out, size_t n) {
  return binary(x, t, out, n, 1);
}

double probabilities_avx512(const float *x, const float *t, float *out, size_t n) {
  return binary(x, t, out, n, 0);
}

double softmax_avx512(const float *x, const float *t, float *out, size_t n) {
  size_t count = n / CLASSES;
  double shared[CLASSES] = {0}, both[CLASSES] = {0};
  for (size_t from = 0; from < count; from += BLOCK) {
    size_t to = from + BLOCK < count ? from + BLOCK : count;
    V s[CLASSES], u[CLASSES];
    for (int c = 0; c < CLASSES; c++) s[c] = u[c] = ALL(0);
    for (size_t k = from; k < to; k += 16) {
      __mmask16 m = lanes(to - k);
      V z[CLASSES], top = ALL(-__builtin_inff()), sum = ALL(0);
      for (int c = 0; c < CLASSES; c++) {
        z[c] = _mm512_maskz_loadu_ps(m, x + k + c * count);
        top = _mm512_max_ps(top, z[c]);
      }
      for (int c = 0; c < CLASSES; c++) {
        z[c] = exponential(_mm512_sub_ps(z[c], top));
        sum = _mm512_add_ps(sum, z[c]);
      }
      V inverse = _mm512_div_ps(ALL(1), sum);
      for (int c = 0; c < CLASSES; c++) {
        V p = _mm512_maskz_mul_ps(m, z[c], inverse);
        V y = _mm512_maskz_loadu_ps(m, t + k + c * count);
        _mm512_mask_storeu_ps(out + k + c * count, m, p);
        s[c] = _mm512_fmadd_ps(p, y, s[c]);
        u[c] = _mm512_add_ps(u[c], _mm512_add_ps(p, y));
      }
    }
    for (int c = 0; c < CLASSES; c++) {
      shared[c] += _mm512_reduce_add_ps(s[c]);
      both[c] += _mm512_reduce_add_ps(u[c]);
    }
  }
  V all[CLASSES], own[CLASSES];
  double loss = 1;
  for (int c = 0; c < CLASSES; c++) {
    double top = 2 * shared[c] + EPS, bottom = both[c] + EPS;
    loss -= top / bottom / CLASSES;
    all[c] = ALL(top / (bottom * bottom) / CLASSES);
    own[c] = ALL(2 / bottom / CLASSES);
  }
  for (size_t k = 0; k < count; k += 16) {
    __mmask16 m = lanes(count - k);
    V p[CLASSES], g[CLASSES], inner = ALL(0);
    for (int c = 0; c < CLASSES; c++) {
      p[c] = _mm512_maskz_loadu_ps(m, out + k + c * count);
      g[c] = _mm512_fnmadd_ps(own[c], _mm512_maskz_loadu_ps(m, t + k + c * count), all[c]);
      inner = _mm512_fmadd_ps(g[c], p[c], inner);
    }
    for (int c = 0; c < CLASSES; c++) {
      V y = _mm512_mul_ps(_mm512_sub_ps(g[c], inner), p[c]);
      _mm512_mask_storeu_ps(out + k + c * count, m, y);
    }
  }
  return loss;
}
#endif
