// The two ragged operators on a GPU, forward and backward; the formulas are those of gru.rs and attend.rs.
// One block a sequence (and direction): sequences of different lengths need no padding, and no block waits for another.
// Sums over rows are formed in a fixed order, so that the same input gives the same result.

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// Each thread one gate's unit. `ut` is [D, H, 3H]: threads read side by side.
extern "C" __global__ void gru_forward(const float *x, const float *ut, const float *c, const unsigned *starts,
                                       float *states, float *gates, float *before, int hidden, int directions) {
    extern __shared__ float shared[];
    float *h = shared, *product = shared + hidden;
    const int sequence = blockIdx.x, direction = blockIdx.y, g = threadIdx.x, width = 3 * hidden;
    const int first = starts[sequence], length = starts[sequence + 1] - first;
    const float *u = ut + (size_t)direction * hidden * width;
    const float bias = g < width ? c[direction * width + g] : 0.0f;
    if (g < hidden) h[g] = 0.0f;
    __syncthreads();
    for (int t = 0; t < length; ++t) {
        const size_t at = (size_t)(first + (direction == 1 ? length - 1 - t : t)) * directions + direction;
        if (g < width) {
            float a = 0.0f, b = 0.0f;
            int k = 0;
            for (; k + 1 < hidden; k += 2) {
                a += u[(size_t)k * width + g] * h[k];
                b += u[(size_t)(k + 1) * width + g] * h[k + 1];
            }
            if (k < hidden) a += u[(size_t)k * width + g] * h[k];
            product[g] = a + b + bias;
        }
        __syncthreads();
        if (g < hidden) {
            const float *row = x + at * width;
            float *saved = gates + at * 4 * hidden;
            const float old = h[g], inner = product[2 * hidden + g];
            const float z = sigmoid(row[g] + product[g]);
            const float r = sigmoid(row[hidden + g] + product[hidden + g]);
            const float candidate = tanhf(row[2 * hidden + g] + r * inner);
            saved[g] = z;
            saved[hidden + g] = r;
            saved[2 * hidden + g] = candidate;
            saved[3 * hidden + g] = inner;
            before[at * hidden + g] = old;
            const float now = candidate + z * (old - candidate);
            h[g] = now;
            states[at * hidden + g] = now;
        }
        __syncthreads();
    }
}

// `u` is [D, 3H, H]. Gives the gradients of the projected rows and of the products with the state.
extern "C" __global__ void gru_backward(const float *dstates, const float *u, const unsigned *starts, const float *gates,
                                        const float *before, float *dx, float *dproduct, int hidden, int directions) {
    extern __shared__ float shared[];
    float *dh = shared, *dp = shared + hidden, *part = shared + 4 * hidden;
    const int sequence = blockIdx.x, direction = blockIdx.y, g = threadIdx.x, width = 3 * hidden;
    const int first = starts[sequence], length = starts[sequence + 1] - first;
    const float *weights = u + (size_t)direction * width * hidden;
    if (g < hidden) dh[g] = 0.0f;
    __syncthreads();
    for (int t = length - 1; t >= 0; --t) {
        const size_t at = (size_t)(first + (direction == 1 ? length - 1 - t : t)) * directions + direction;
        if (g < hidden) {
            const float *saved = gates + at * 4 * hidden;
            float *row = dx + at * width, *out = dproduct + at * width;
            const float z = saved[g], r = saved[hidden + g], candidate = saved[2 * hidden + g];
            const float inner = saved[3 * hidden + g];
            const float d = dh[g] + dstates[at * hidden + g];
            const float dcandidate = d * (1.0f - z) * (1.0f - candidate * candidate);
            const float dz = d * (before[at * hidden + g] - candidate) * z * (1.0f - z);
            const float dr = dcandidate * inner * r * (1.0f - r);
            row[g] = dz;
            row[hidden + g] = dr;
            row[2 * hidden + g] = dcandidate;
            out[g] = dp[g] = dz;
            out[hidden + g] = dp[hidden + g] = dr;
            out[2 * hidden + g] = dp[2 * hidden + g] = dcandidate * r;
            dh[g] = d * z;
        }
        __syncthreads();
        if (g < width) {
            // A third of the sum over gates each.
            const int unit = g % hidden, from = (g / hidden) * hidden;
            float a = 0.0f;
            for (int k = from; k < from + hidden; ++k) a += weights[(size_t)k * hidden + unit] * dp[k];
            part[g] = a;
        }
        __syncthreads();
        if (g < hidden) dh[g] += part[g] + part[hidden + g] + part[2 * hidden + g];
        __syncthreads();
    }
}

__device__ float over_warp(float value) {
    for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_xor_sync(0xffffffffu, value, offset);
    return value;
}

// Blocks of 256 threads.
__device__ float over_block(float value, bool greatest) {
    __shared__ float sums[8];
    for (int offset = 16; offset > 0; offset >>= 1) {
        const float other = __shfl_xor_sync(0xffffffffu, value, offset);
        value = greatest ? fmaxf(value, other) : value + other;
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
    __syncthreads();
    value = sums[0];
    for (int warp = 1; warp < 8; ++warp) value = greatest ? fmaxf(value, sums[warp]) : value + sums[warp];
    return value;
}

extern "C" __global__ void attend_forward(const float *h, const float *p, const float *contexts, const unsigned *starts,
                                          float *hidden, float *weights, float *pooled, int width, int units,
                                          int sequences) {
    const int sequence = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int first = starts[sequence], length = starts[sequence + 1] - first;
    const float *context = contexts + (size_t)sequence * units, *query = contexts + (size_t)sequences * units;
    float top = __int_as_float(0xff800000);
    for (int t = warp; t < length; t += 8) {
        const size_t row = (size_t)(first + t) * units;
        float score = 0.0f;
        for (int i = lane; i < units; i += 32) {
            const float value = tanhf(p[row + i] + context[i]);
            hidden[row + i] = value;
            score += value * query[i];
        }
        score = over_warp(score);
        if (lane == 0) weights[first + t] = score;
        top = fmaxf(top, score);
    }
    top = over_block(top, true);
    float sum = 0.0f;
    for (int t = threadIdx.x; t < length; t += 256) {
        const float value = expf(weights[first + t] - top);
        weights[first + t] = value;
        sum += value;
    }
    sum = over_block(sum, false);
    for (int t = threadIdx.x; t < length; t += 256) weights[first + t] /= sum;
    __syncthreads();
    for (int i = threadIdx.x; i < width; i += 256) {
        float value = 0.0f;
        for (int t = 0; t < length; ++t) value += weights[first + t] * h[(size_t)(first + t) * width + i];
        pooled[(size_t)sequence * width + i] = value;
    }
}

// `dweights` is room for one number a row; `dquery` [S, N] is one part a sequence.
extern "C" __global__ void attend_backward(const float *h, const float *query, const float *dpooled, const float *hidden,
                                           const float *weights, const unsigned *starts, float *dweights, float *dh,
                                           float *dp, float *dcontexts, float *dquery, int width, int units) {
    const int sequence = blockIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int first = starts[sequence], length = starts[sequence + 1] - first;
    const float *d = dpooled + (size_t)sequence * width;
    float sum = 0.0f;
    for (int t = warp; t < length; t += 8) {
        const size_t row = (size_t)(first + t) * width;
        const float weight = weights[first + t];
        float value = 0.0f;
        for (int i = lane; i < width; i += 32) {
            value += d[i] * h[row + i];
            dh[row + i] = weight * d[i];
        }
        value = over_warp(value);
        if (lane == 0) {
            dweights[first + t] = value;
            sum += weight * value;
        }
    }
    const float mean = over_block(sum, false);
    __syncthreads();
    for (int i = threadIdx.x; i < units; i += 256) {
        float of_context = 0.0f, of_query = 0.0f;
        for (int t = 0; t < length; ++t) {
            const size_t at = (size_t)(first + t) * units + i;
            const float descore = weights[first + t] * (dweights[first + t] - mean), value = hidden[at];
            const float dvalue = descore * query[i] * (1.0f - value * value);
            dp[at] = dvalue;
            of_context += dvalue;
            of_query += descore * value;
        }
        dcontexts[(size_t)sequence * units + i] = of_context;
        dquery[(size_t)sequence * units + i] = of_query;
    }
}
