// Open loop by k6: requests come at a constant rate, however long the answers take; thresholds decide the exit status.
import http from 'k6/http';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { SharedArray } from 'k6/data';

const rate = Number(__ENV.RATE);
const seconds = Number(__ENV.SECONDS);
const bodies = new SharedArray('bodies', () => JSON.parse(open(__ENV.BODIES)));

const answered = new Counter('answered');
const refused = new Counter('refused');
const broken = new Counter('broken');
const acceptedMs = new Trend('accepted_ms', true);
const refusedMs = new Trend('refused_ms', true);

const thresholds = {
  broken: ['count==0'],
  dropped_iterations: ['count==0'],
  accepted_ms: [`p(99)<=${__ENV.ACCEPTED_P99_MS}`],
  answered: [`count>=${__ENV.LEAST_ANSWERED}`],
};
if (__ENV.REFUSED_P95_MS) thresholds.refused_ms = [`p(95)<${__ENV.REFUSED_P95_MS}`];

export const options = {
  discardResponseBodies: false,
  summaryTrendStats: ['count', 'med', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    overload: {
      executor: 'constant-arrival-rate',
      rate: Math.max(1, Math.round(rate * 100)),
      timeUnit: '100s',
      duration: `${seconds}s`,
      gracefulStop: '120s',
      preAllocatedVUs: Number(__ENV.VUS),
      maxVUs: Number(__ENV.VUS),
    },
  },
  thresholds,
};

export default function () {
  const number = exec.scenario.iterationInTest;
  const body = bodies[number % bodies.length].replaceAll(__ENV.SALT, `k${__ENV.RUN}-${number}`);
  const answer = http.post(`${__ENV.URL}/score`, body, {
    headers: { 'content-type': 'application/json', authorization: `Bearer caller-${number % Number(__ENV.CALLERS)}` },
    timeout: '310s',
  });
  if (answer.status === 200 && answer.json('results').every((result) => !('error' in result))) {
    answered.add(1);
    acceptedMs.add(answer.timings.duration);
  } else if ((answer.status === 429 || answer.status === 503) && answer.headers['Retry-After']) {
    refused.add(1);
    refusedMs.add(answer.timings.duration);
  } else {
    broken.add(1);
    console.error(`${answer.status} ${answer.error} ${String(answer.body).slice(0, 200)}`);
  }
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data.metrics) };
}
