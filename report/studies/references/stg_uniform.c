/* Uniform draws of the five-neuron STG circuit near a target: a reference apart from dsnlib.
 *
 *     stg_uniform SEED FIRST COUNT FREE NEURON:LOW:HIGH [NEURON:LOW:HIGH ..] > rows
 *
 * Simulates the draws FIRST .. FIRST + COUNT - 1 of the stream SEED, 200 Euler steps of 0.025 s in
 * float32. FREE lists the conductances drawn, by index and separated by commas: 0 g_el, 1 g_synA,
 * 2 g_synB, each uniform on (0, 20) nS; 3 .. 7 g_Ca, 8 .. 12 g_K, 13 .. 17 g_H of the neurons f1,
 * f2, hub, s1, s2, each uniform on (0, twice its nominal value). For each draw whose frequencies
 * (Hz) of the neurons NEURON (0 .. 4) all lie in [LOW, HIGH], a row of float32 goes to standard
 * output: conductances in nS, then frequencies. Where SEED is "-", the draws are not made but read
 * from standard input, COUNT rows of float32. Draws whose voltage diverges have no frequency. The
 * window named first is tested first, so the rarest belongs there.
 *
 * Model: Gutierrez, O'Leary and Marder, Neuron 77 (2013); readout: Bittner (2019).
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16, NEURONS = 5, PARAMETERS = 18 };
enum { STEPS = 200, WINDOW = 20, BANK = 101, ORDERS = 32 };
enum { KEPT = STEPS + 1 - (WINDOW - 1), HALF = KEPT / 2 }; /* smoothed samples; KEPT is even */
enum { F1, F2, HUB, S1, S2 };
enum { G_EL, G_SYN_A, G_SYN_B, G_CA, G_K = G_CA + NEURONS, G_H = G_K + NEURONS };

static const float DT = 0.025f;
static const float NOMINAL[PARAMETERS] = {
    10, 10, 5, 19, 19, 17, 8.5f, 8.5f, 39, 39, 19, 15, 15, 25, 25, 8, 10, 10};
static const float UPPER[PARAMETERS] = {
    20, 20, 20, 38, 38, 34, 17, 17, 78, 78, 38, 30, 30, 50, 50, 16, 20, 20};
static const float START[3][NEURONS] = { /* V (volt), N, H */
    {-0.04169771f, -0.04319491f, 0.00883992f, -0.06879824f, 0.03048103f},
    {0.00151316f, 0.19784773f, 0.56514935f, 0.12214069f, 0.35290397f},
    {0.08614699f, 0.04938177f, 0.05568701f, 0.07007949f, 0.05790969f}};

typedef float lanes[LANES]; /* one value for each draw that is simulated at once */
#define EACH_LANE _Pragma("omp simd") for (int l = 0; l < LANES; l++)

/* Random number of a place in the stream: the finaliser of SplitMix64 (Steele et al. 2014). */
static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Uniform on (0, 1), both ends excluded: the midpoints of 2^23 cells, exact in float32. */
static float uniform(uint64_t stream, uint64_t place) {
    uint64_t bits = mix(stream + (place + 1) * 0x9e3779b97f4a7c15u);
    return ((float)(bits >> 41) + 0.5f) * 0x1p-23f;
}

/* 2^u for |u| < 126, within 2 units in the last place: a whole power times a polynomial of the
 * rest, with the coefficients whose largest relative error on [-1/2, 1/2] is smallest, 2e-8. */
static inline float power_of_two(float u) {
    const float shift = 0x1.8p23f; /* adding it rounds to a whole number */
    float shifted = u + shift, r = u - (shifted - shift);
    float p = 9.6184779e-3f + r * (1.3400195e-3f + r * 1.5347886e-4f);
    p = 1.0f + r * (6.9314718e-1f + r * (2.4022648e-1f + r * (5.5503279e-2f + r * p)));
    uint32_t whole, bits; /* unsigned: they may wrap where u is out of range */
    memcpy(&whole, &shifted, 4);
    memcpy(&bits, &p, 4);
    bits += whole << 23;
    memcpy(&p, &bits, 4);
    return p;
}
#define EXP(x, scale) power_of_two((x) * (float)(M_LOG2E / (scale))) /* exp(x / scale) */

/* Voltages (V) of all neurons, [neuron][step][lane], for conductances (nS). */
static void simulate(lanes *g, lanes trace[NEURONS][STEPS + 1]) {
    lanes V[NEURONS], N[NEURONS], H[NEURONS], S[NEURONS], I[NEURONS];
    for (int i = 0; i < NEURONS; i++)
        EACH_LANE V[i][l] = START[0][i], N[i][l] = START[1][i], H[i][l] = START[2][i];
    for (int step = 0;; step++) {
        for (int i = 0; i < NEURONS; i++) memcpy(trace[i][step], V[i], sizeof(lanes));
        if (step == STEPS) return;
        for (int i = 0; i < NEURONS; i++) EACH_LANE {
            float v = V[i][l], n = N[i][l], h = H[i][l];
            /* Fractions of one gate, or of two, share a denominator: divisions cost most here. */
            float x = EXP(v, -0.030); /* makes every tanh, cosh (x + 1 / x) and S_inf */
            float x2 = x * x, x3 = x2 * x, x4 = x2 * x2;
            float closed_M = 1 + x3, closed_N = 1 + x4; /* 1 / M_inf, 1 / N_inf */
            float closed_S = 1 + 6.7379470e-3f * (x3 * x3); /* 1 / S_inf; the factor is exp(-5) */
            float shared = 1 / (closed_M * closed_S), M_inf = closed_S * shared;
            float closed_H = 1 + EXP(v + 0.0783f, 0.0105); /* 1 / H_inf */
            float slow = 1 + EXP(v + 0.0422f, -0.0873);
            S[i][l] = closed_M * shared;
            I[i][l] = 0.1f * (v + 0.040f) + g[G_CA + i][l] * M_inf * (v - 0.100f)
                + g[G_K + i][l] * n * (v + 0.080f) + g[G_H + i][l] * h * (v + 0.020f);
            N[i][l] += DT * ((1 + x2) * (1 - n * closed_N) / (x * closed_N));
            H[i][l] += DT * (slow * (1 - h * closed_H) / (closed_H * (0.272f * slow + 1.499f)));
        }
        EACH_LANE {
            float el = g[G_EL][l], A = g[G_SYN_A][l], B = g[G_SYN_B][l], hub = V[HUB][l];
            float from_f2 = el * (V[F2][l] - hub), from_s2 = el * (V[S2][l] - hub);
            I[F1][l] += B * S[F2][l] * (V[F1][l] + 0.075f);
            I[F2][l] += B * S[F1][l] * (V[F2][l] + 0.075f) + from_f2;
            I[HUB][l] += A * (S[F1][l] + S[S1][l]) * (hub + 0.075f) - (from_f2 + from_s2);
            I[S1][l] += B * S[S2][l] * (V[S1][l] + 0.075f);
            I[S2][l] += B * S[S1][l] * (V[S2][l] + 0.075f) + from_s2;
        }
        for (int i = 0; i < NEURONS; i++) EACH_LANE V[i][l] -= DT * I[i][l]; /* C = 1 nF */
    }
}

/* Which draws stay within 0.8 V, where `power_of_two` is right; beyond it Euler steps diverge. */
static void bounded(lanes trace[NEURONS][STEPS + 1], int *inside) {
    int32_t largest[LANES] = {0};
    for (int i = 0; i < NEURONS; i++)
        for (int m = 0; m <= STEPS; m++) EACH_LANE {
            int32_t size; /* the bits of |V|: as whole numbers in the same order, NaN on top */
            memcpy(&size, &trace[i][m][l], 4);
            size &= 0x7fffffff, largest[l] = size > largest[l] ? size : largest[l];
        }
    for (int l = 0; l < LANES; l++) inside[l] = largest[l] <= 0x3f4ccccd; /* 0.8f */
}

static float wave[ORDERS][HALF], bessel[BANK][ORDERS];

/* Waves of 0, 0.01 .. 1 Hz as sums of few terms. The moduli do not depend on the origin of time, so
 * it is put at the middle of the signal. With time in units of half its duration, and w the angle
 * that the wave turns meanwhile (Jacobi and Anger),
 *     cos(w t) = sum over even n of c_n (-1)^(n / 2) J_n(w) T_n(t),        c_0 = 1, c_n = 2,
 *     sin(w t) = sum over odd n of 2 (-1)^((n - 1) / 2) J_n(w) T_n(t);
 * w is 14.3 at most, so that J_n is below 1e-8 for n > 31. */
static void make_bank(void) {
    for (int n = 0; n < ORDERS; n++) {
        for (int m = 0; m < HALF; m++)
            wave[n][m] = (float)cos(n * acos((m + 0.5) / HALF)); /* Chebyshev polynomial T_n */
        for (int k = 0; k < BANK; k++) {
            double J = jn(n, 2 * M_PI * 0.01 * k * HALF * 0.025);
            bessel[k][n] = (float)((n ? 2 : 1) * (n / 2 % 2 ? -J : J));
        }
    }
}

/* Frequencies (Hz) of one neuron: rectify, average, project, mean weighted by moduli^100. */
static void frequency(lanes *trace, float *f) {
    static lanes rectified[STEPS + 1], smooth[KEPT], even[HALF], odd[HALF], power[BANK];
    lanes running = {0}, term[ORDERS] = {{0}}, largest = {0}, total = {0}, sum = {0};
    for (int m = 0; m <= STEPS; m++) EACH_LANE { /* sums for means: only ratios of moduli count */
        rectified[m][l] = trace[m][l] < -0.01f ? -0.01f : trace[m][l];
        running[l] += rectified[m][l] - (m < WINDOW ? 0 : rectified[m - WINDOW][l]);
        if (m >= WINDOW - 1) smooth[m - (WINDOW - 1)][l] = running[l];
    }
    for (int m = 0; m < HALF; m++) EACH_LANE {
        even[m][l] = smooth[HALF + m][l] + smooth[HALF - 1 - m][l];
        odd[m][l] = smooth[HALF + m][l] - smooth[HALF - 1 - m][l];
    }
    for (int n = 0; n < ORDERS; n += 2)
        for (int m = 0; m < HALF; m++) EACH_LANE {
            term[n][l] += wave[n][m] * even[m][l];
            term[n + 1][l] += wave[n + 1][m] * odd[m][l];
        }
    for (int k = 0; k < BANK; k++) {
        lanes re = {0}, im = {0};
        for (int n = 0; n < ORDERS; n += 2) EACH_LANE {
            re[l] += bessel[k][n] * term[n][l];
            im[l] += bessel[k][n + 1] * term[n + 1][l];
        }
        EACH_LANE power[k][l] = re[l] * re[l] + im[l] * im[l];
        EACH_LANE largest[l] = largest[l] > power[k][l] ? largest[l] : power[k][l];
    }
    for (int k = 0; k < BANK; k++) EACH_LANE {
        float p = power[k][l] / largest[l], p2 = p * p, p4 = p2 * p2, p8 = p4 * p4, p16 = p8 * p8;
        float weight = p16 * p16 * p16 * p2; /* (modulus^2)^50, 1 at most */
        total[l] += weight;
        sum[l] += weight * (0.01f * (float)k);
    }
    EACH_LANE f[l] = sum[l] / total[l];
}

static int free_index[PARAMETERS], parameters, neuron[NEURONS], observed;
static float low[NEURONS], high[NEURONS]; /* Hz; with the line above, what main is asked for */

/* Draws that passed the first window wait here until they fill the lanes: [signal][step][lane]. */
static lanes waiting_g[PARAMETERS], waiting_f[NEURONS], waiting_trace[NEURONS][STEPS + 1];
static int waiting;

/* Test the waiting draws against the other windows and write those within all. */
static void settle(void) {
    for (int s = 1; s < observed; s++) frequency(waiting_trace[s], waiting_f[s]);
    for (int l = 0; l < waiting; l++) {
        float row[PARAMETERS + NEURONS];
        int inside = 1;
        for (int p = 0; p < parameters; p++) row[p] = waiting_g[free_index[p]][l];
        for (int s = 0; s < observed; s++) {
            float f = row[parameters + s] = waiting_f[s][l];
            inside &= f >= low[s] && f <= high[s];
        }
        if (inside) fwrite(row, sizeof(float), (size_t)(parameters + observed), stdout);
    }
    waiting = 0;
}

/* Read the command line; 0 where it makes no sense. */
static int understood(int argc, char **argv) {
    if (argc < 6 || argc > 5 + NEURONS) return 0;
    for (char *item = strtok(argv[4], ","); item; item = strtok(NULL, ",")) {
        if (parameters == PARAMETERS) return 0;
        int p = free_index[parameters++] = atoi(item);
        if (p < 0 || p >= PARAMETERS) return 0;
    }
    for (int s = 0; s < argc - 5; s++, observed++) {
        if (sscanf(argv[5 + s], "%d:%f:%f", &neuron[s], &low[s], &high[s]) != 3) return 0;
        if (neuron[s] < 0 || neuron[s] >= NEURONS) return 0;
    }
    return strtoull(argv[3], NULL, 10) % LANES == 0;
}

int main(int argc, char **argv) {
    if (!understood(argc, argv)) {
        fprintf(stderr, "stg_uniform SEED FIRST COUNT(%d n) FREE NEURON:LOW:HIGH ..\n", LANES);
        return 2;
    }
    int reads = !strcmp(argv[1], "-");
    uint64_t stream = mix(strtoull(argv[1], NULL, 10));
    uint64_t first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    static lanes g[PARAMETERS], trace[NEURONS][STEPS + 1], f;
    int inside[LANES];
    make_bank();
    for (int p = 0; p < PARAMETERS; p++) EACH_LANE g[p][l] = NOMINAL[p];
    for (uint64_t done = 0; done < count; done += LANES) {
        for (int l = 0; l < LANES; l++) {
            float given[PARAMETERS];
            if (reads && fread(given, sizeof(float) * (size_t)parameters, 1, stdin) != 1) return 1;
            for (int p = 0; p < parameters; p++) {
                uint64_t place = (first + done + (uint64_t)l) * PARAMETERS + (uint64_t)p;
                float made = UPPER[free_index[p]] * uniform(stream, place);
                g[free_index[p]][l] = reads ? given[p] : made;
            }
        }
        simulate(g, trace);
        bounded(trace, inside);
        frequency(trace[neuron[0]], f);
        for (int l = 0; l < LANES; l++) {
            if (!(inside[l] && f[l] >= low[0] && f[l] <= high[0])) continue;
            for (int p = 0; p < PARAMETERS; p++) waiting_g[p][waiting] = g[p][l];
            for (int s = 1; s < observed; s++)
                for (int m = 0; m <= STEPS; m++)
                    waiting_trace[s][m][waiting] = trace[neuron[s]][m][l];
            waiting_f[0][waiting++] = f[l];
            if (waiting == LANES) settle();
        }
    }
    settle();
    return fflush(stdout) || ferror(stdout);
}
