// The exactly rounded sum (Shewchuk 1997), as Python's math.fsum gives it: equal weights must stay equal, or ties
// differ.

/** The sum of finite numbers, rounded once. */
export function fsum(values) {
  const partials = [];
  for (let x of values) {
    let kept = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) partials[kept++] = low;
      x = high;
    }
    partials.length = kept;
    partials.push(x);
  }
  return rounded(partials);
}

function rounded(partials) {
  let count = partials.length;
  if (count === 0) return 0;
  let high = partials[--count];
  let low = 0;
  while (count > 0) {
    const x = high;
    const y = partials[--count];
    high = x + y;
    low = y - (high - x);
    if (low !== 0) break;
  }
  // Half way between two numbers: what is left decides.
  if (count > 0 && ((low < 0 && partials[count - 1] < 0) || (low > 0 && partials[count - 1] > 0))) {
    const twice = low * 2;
    const up = high + twice;
    if (twice === up - high) return up;
  }
  return high;
}
