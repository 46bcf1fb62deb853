/** What came in the last two minutes, as a line: 24 values, the newest at the right. The number stands beside it, so nobody hears of it. */

const WIDTH = 96;
const HEIGHT = 20;
/** Of the input's history: a value for each 5 s of two minutes. */
const VALUES = 24;

export function Sparkline({ values }: { readonly values: readonly number[] }) {
  // Of a stream that has just begun there is less: what there is lies at the right.
  const from = VALUES - values.length;
  const top = Math.max(1, ...values) * 1.1;
  const points = values.map((value, i) => {
    const x = ((from + i) * WIDTH) / (VALUES - 1);
    return `${x.toFixed(1)} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`;
  });
  return (
    <svg class="wall-spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path class="wall-spark-floor" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      {points.length > 1 && <path d={`M${points.join('L')}`} />}
    </svg>
  );
}
