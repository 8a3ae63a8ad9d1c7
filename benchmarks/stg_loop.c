/* Frequency of the hub and its two derivatives in one fused loop: the yardstick for JAX.
 *
 * Written by hand for this circuit, lanes of a block side by side in vector registers, so it shows
 * what the processor can do. dsnlib does not use it. Equations: dsnlib.circuits.stg.
 */
#include <math.h>
#include <stddef.h>

enum { LANES = 16, NEURONS = 5, TANGENTS = 2, BANK = 101, MAX_SAMPLES = 2048 };
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int ivec __attribute__((vector_size(4 * LANES)));

static const float G_CA[] = {19, 19, 17, 8.5f, 8.5f}, G_K[] = {39, 39, 19, 15, 15};
static const float G_H[] = {25, 25, 8, 10, 10};
static const float V_0[] = {-0.04169771f, -0.04319491f, 0.00883992f, -0.06879824f, 0.03048103f};
static const float N_0[] = {0.00151316f, 0.19784773f, 0.56514935f, 0.12214069f, 0.35290397f};
static const float H_0[] = {0.08614699f, 0.04938177f, 0.05568701f, 0.07007949f, 0.05790969f};

static inline vec choose(ivec where, vec yes, vec no) {
  return (vec)((where & (ivec)yes) | (~where & (ivec)no));
}

/* exp by reduction to 2^i * e^r, |r| <= ln(2)/2, and a Taylor polynomial of degree 6. */
static inline vec vexp(vec x) {
  vec lo = x * 0 - 87.0f, hi = x * 0 + 87.0f;
  x = choose(x < lo, lo, x);
  x = choose(x > hi, hi, x);
  vec shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23 rounds to the nearest integer */
  vec i = shifted - 12582912.0f;
  vec r = x - i * 0.693359375f + i * 2.12194440e-4f;
  vec p = 1.0f + r * (1.0f + r * (1 / 2.0f + r * (1 / 6.0f + r * (1 / 24.0f + r * (1 / 120.0f + r * (1 / 720.0f))))));
  ivec bits = (__builtin_convertvector(i, ivec) + 127) << 23;
  return p * (vec)bits;
}

/* z (n, 2) in nS; bank (2 * BANK, samples); out: frequency (n) and jacobian (n, 2).
 * n must be a multiple of LANES. */
void stg_loop(const float *z, const float *bank, ptrdiff_t n, ptrdiff_t samples, float dt, float g_synB,
              float *frequency, float *jacobian) {
  static _Thread_local vec signal[MAX_SAMPLES], tangent[MAX_SAMPLES][TANGENTS];
  for (ptrdiff_t block = 0; block < n; block += LANES) {
    vec g_el, g_synA, zero = {0};
    for (int l = 0; l < LANES; l++) g_el[l] = z[2 * (block + l)], g_synA[l] = z[2 * (block + l) + 1];
    vec V[NEURONS], N[NEURONS], H[NEURONS];
    vec tV[NEURONS][TANGENTS], tN[NEURONS][TANGENTS], tH[NEURONS][TANGENTS];
    for (int i = 0; i < NEURONS; i++) {
      V[i] = zero + V_0[i], N[i] = zero + N_0[i], H[i] = zero + H_0[i];
      for (int k = 0; k < TANGENTS; k++) tV[i][k] = tN[i][k] = tH[i][k] = zero;
    }
    for (ptrdiff_t t = 0; t < samples; t++) {
      signal[t] = V[2];
      for (int k = 0; k < TANGENTS; k++) tangent[t][k] = tV[2][k];
      vec S[NEURONS], dS[NEURONS], cV[NEURONS], cN[NEURONS], cH[NEURONS];
      vec slope[NEURONS], N_slope[NEURONS], NV[NEURONS], NN[NEURONS];
      vec H_slope[NEURONS], HV[NEURONS], HH[NEURONS];
      for (int i = 0; i < NEURONS; i++) {
        vec v = V[i], r = vexp(v * (-1 / 0.030f)), r3 = r * r * r, r4 = r3 * r, r6 = r3 * r3;
        vec M_inf = 1 / (1 + r3), N_inf = 1 / (1 + r4);
        S[i] = 1 / (1 + 6.737947e-3f * r6);
        dS[i] = S[i] * (1 - S[i]) * (1 / 0.005f);
        vec dM = M_inf * (1 - M_inf) * (1 / 0.010f), dN_inf = N_inf * (1 - N_inf) * (1 / 0.0075f);
        vec inverse = 1 / r, rate = r + inverse, drate = (inverse - r) * (1 / 0.030f);
        vec H_inf = 1 / (1 + vexp((v + 0.0783f) * (1 / 0.0105f)));
        vec dH_inf = -H_inf * (1 - H_inf) * (1 / 0.0105f);
        vec s = 1 / (1 + vexp((v + 0.0422f) * (-1 / 0.0873f)));
        vec speed = 1 / (0.272f + 1.499f * s);
        vec dspeed = -speed * speed * 1.499f * s * (1 - s) * (1 / 0.0873f);
        slope[i] = -(0.1f * (v + 0.040f) + G_CA[i] * M_inf * (v - 0.100f) + G_K[i] * N[i] * (v + 0.080f)
                     + G_H[i] * H[i] * (v + 0.020f));
        cV[i] = -(0.1f + G_CA[i] * (M_inf + dM * (v - 0.100f)) + G_K[i] * N[i] + G_H[i] * H[i]);
        cN[i] = -G_K[i] * (v + 0.080f);
        cH[i] = -G_H[i] * (v + 0.020f);
        N_slope[i] = rate * (N_inf - N[i]);
        NV[i] = drate * (N_inf - N[i]) + rate * dN_inf;
        NN[i] = -rate;
        H_slope[i] = (H_inf - H[i]) * speed;
        HV[i] = dH_inf * speed + (H_inf - H[i]) * dspeed;
        HH[i] = -speed;
      }
      static const int PRE[] = {1, 0, -1, 4, 3};
      vec drive[NEURONS], ddrive[NEURONS][TANGENTS], electrical[NEURONS], delectrical[NEURONS][TANGENTS];
      for (int i = 0; i < NEURONS; i++) {
        electrical[i] = zero;
        if (i != 2) drive[i] = g_synB * S[PRE[i]];
        for (int k = 0; k < TANGENTS; k++) {
          delectrical[i][k] = zero;
          if (i != 2) ddrive[i][k] = g_synB * dS[PRE[i]] * tV[PRE[i]][k];
        }
      }
      drive[2] = g_synA * (S[0] + S[3]);
      vec out_f = V[1] - V[2], out_s = V[4] - V[2];
      electrical[1] = g_el * out_f, electrical[4] = g_el * out_s, electrical[2] = -g_el * (out_f + out_s);
      for (int k = 0; k < TANGENTS; k++) {
        vec df = tV[1][k] - tV[2][k], ds = tV[4][k] - tV[2][k];
        delectrical[1][k] = g_el * df, delectrical[4][k] = g_el * ds, delectrical[2][k] = -g_el * (df + ds);
        ddrive[2][k] = g_synA * (dS[0] * tV[0][k] + dS[3] * tV[3][k]);
      }
      delectrical[1][0] += out_f, delectrical[4][0] += out_s, delectrical[2][0] -= out_f + out_s;
      ddrive[2][1] += S[0] + S[3];
      for (int i = 0; i < NEURONS; i++) {
        for (int k = 0; k < TANGENTS; k++) {
          vec a = tV[i][k], b = tN[i][k], c = tH[i][k];
          tV[i][k] = a + dt * ((cV[i] - drive[i]) * a + cN[i] * b + cH[i] * c - delectrical[i][k]
                               - ddrive[i][k] * (V[i] + 0.075f));
          tN[i][k] = b + dt * (NV[i] * a + NN[i] * b);
          tH[i][k] = c + dt * (HV[i] * a + HH[i] * c);
        }
      }
      for (int i = 0; i < NEURONS; i++) {
        V[i] += dt * (slope[i] - electrical[i] - drive[i] * (V[i] + 0.075f));
        N[i] += dt * N_slope[i];
        H[i] += dt * H_slope[i];
      }
    }
    /* Readout: f = sum_k f_k w_k, w = softmax(50 log A_k^2), and its gradient by one reverse pass. */
    vec part[2 * BANK], logit[BANK], top = zero - 1e30f;
    vec rectified[MAX_SAMPLES];
    for (ptrdiff_t t = 0; t < samples; t++) {
      vec shifted = signal[t] + 0.01f;
      rectified[t] = choose(shifted > 0, shifted, zero) - 0.01f;
    }
    for (int k = 0; k < 2 * BANK; k += 2) {
      vec even = zero, odd = zero;
      for (ptrdiff_t t = 0; t < samples; t++) {
        even += bank[k * samples + t] * rectified[t];
        odd += bank[(k + 1) * samples + t] * rectified[t];
      }
      part[k] = even, part[k + 1] = odd;
    }
    for (int k = 0; k < BANK; k++) {
      vec power = part[k] * part[k] + part[k + BANK] * part[k + BANK];
      for (int l = 0; l < LANES; l++) logit[k][l] = 50 * logf(power[l]);
      top = choose(logit[k] > top, logit[k], top);
    }
    vec total = zero, mean = zero;
    for (int k = 0; k < BANK; k++) {
      logit[k] = vexp(logit[k] - top);
      total += logit[k], mean += logit[k] * (k * 0.01f);
    }
    mean /= total;
    vec gradient[MAX_SAMPLES];
    for (ptrdiff_t t = 0; t < samples; t++) gradient[t] = zero;
    for (int k = 0; k < BANK; k++) {
      vec power = part[k] * part[k] + part[k + BANK] * part[k + BANK];
      vec factor = logit[k] / total * (k * 0.01f - mean) * 100.0f / power;
      vec re = factor * part[k], im = factor * part[k + BANK];
      for (ptrdiff_t t = 0; t < samples; t++)
        gradient[t] += re * bank[k * samples + t] + im * bank[(k + BANK) * samples + t];
    }
    vec derivative[TANGENTS] = {zero, zero};
    for (ptrdiff_t t = 0; t < samples; t++) {
      vec weight = choose(signal[t] > -0.01f, gradient[t], zero);
      for (int k = 0; k < TANGENTS; k++) derivative[k] += weight * tangent[t][k];
    }
    for (int l = 0; l < LANES; l++) {
      frequency[block + l] = mean[l];
      for (int k = 0; k < TANGENTS; k++) jacobian[TANGENTS * (block + l) + k] = derivative[k][l];
    }
  }
}
