// Small pictures as plain SVG. Each takes plain numbers and gives an element.
import { svg, picture } from './dom.js';

const round = (x) => Math.round(x * 10) / 10;

// A bar of `value` of `most`, with a mark (a floor, a target) if there is one.
export function bar(name, value, most, style, mark) {
  const width = 300, at = (x) => round(Math.max(0, Math.min(1, x / (most || 1))) * width);
  return picture(width, 18, name,
    svg('rect', { x: 0, y: 4, width, height: 10, rx: 5, class: 'f-track' }),
    value > 0 && svg('rect', { x: 0, y: 4, width: Math.max(3, at(value)), height: 10, rx: 5, class: style }),
    mark !== undefined && mark !== null && svg('line', { x1: at(mark), x2: at(mark), y1: 0, y2: 18, class: 's-ink', 'stroke-width': 2 }));
}

export function tinyBar(share, style) {
  const width = 64;
  return svg('svg', { viewBox: `0 0 ${width} 8`, width, height: 8, 'aria-hidden': 'true' },
    svg('rect', { width, height: 8, rx: 4, class: 'f-track' }),
    share > 0 && svg('rect', { width: Math.max(2, round(Math.min(1, share) * width)), height: 8, rx: 4, class: style }));
}

// How a list of counts divides: [{label, count, style}], one bar.
export function stack(name, parts) {
  const width = 300, total = parts.reduce((sum, p) => sum + p.count, 0) || 1;
  let x = 0;
  return picture(width, 14, name, parts.map((part) => {
    const size = (part.count / total) * width, from = x;
    x += size;
    return size > 0 && svg('rect', { x: round(from), y: 0, width: Math.max(1, round(size - 1.5)), height: 14, rx: 3, class: part.style });
  }));
}

// Columns of a distribution, their label below and their count above.
export function columns(name, items) {
  const width = 300, height = 96, most = Math.max(1, ...items.map((i) => i.count)), step = width / items.length;
  return picture(width, height, name, items.map((item, i) => {
    const size = Math.max(0, item.count / most) * 62, x = i * step + step * 0.16;
    return [svg('rect', { x: round(x), y: round(78 - Math.max(size, 2)), width: round(step * 0.68), height: round(Math.max(size, 2)), rx: 4, class: item.count > 0 ? item.style : 'f-track' }),
      svg('text', { x: round(x + step * 0.34), y: 93, 'text-anchor': 'middle' }, item.label),
      item.count > 0 && svg('text', { x: round(x + step * 0.34), y: round(73 - size), 'text-anchor': 'middle' }, item.text)];
  }));
}

function path(points) {
  return points.map(([x, y], i) => `${i ? 'L' : 'M'}${round(x)} ${round(y)}`).join('');
}

// What has been reached day by day, against a target: sums[] so far, should[] of all days.
export function burnUp(name, data) {
  const width = 480, height = 190, left = 4, right = 4, top = 16, bottom = 20;
  const last = data.should.length;
  const most = Math.max(1, data.target || 0, data.forecast || 0, ...data.sums), least = Math.min(0, ...data.sums);
  const x = (day) => left + ((width - left - right) * day) / Math.max(1, last);
  const y = (value) => top + (height - top - bottom) * (1 - (value - least) / (most - least));
  const line = [[x(0), y(0)], ...data.sums.map((sum, i) => [x(i + 1 - (data.partial && i === data.sums.length - 1 ? 1 - data.partial : 0)), y(sum)])];
  const end = line[line.length - 1];
  const area = `${path(line)}L${round(end[0])} ${y(0)}L${round(x(0))} ${y(0)}Z`;
  return picture(width, height, name,
    svg('line', { x1: left, x2: width - right, y1: y(0), y2: y(0), class: 's-line' }),
    svg('path', { d: area, class: 'f-sale-soft' }),
    data.target && [svg('line', { x1: left, x2: width - right, y1: y(data.target), y2: y(data.target), class: 's-ink thin' }),
      svg('text', { x: left, y: y(data.target) - 5 }, data.targetText),
      svg('path', { d: path([[x(0), y(0)], ...data.should.map((v, i) => [x(i + 1), y(v)])]), class: 'l thin dash s-soft' })],
    svg('path', { d: path(line), class: 'l s-sale' }),
    data.running && data.forecast !== null && svg('path', { d: path([end, [x(last), y(data.forecast)]]), class: 'l thin dash s-sale' }),
    data.running && [svg('line', { x1: end[0], x2: end[0], y1: top, y2: height - bottom, class: 's-line' }),
      svg('circle', { cx: round(end[0]), cy: round(end[1]), r: 4.5, class: 'f-sale' })],
    svg('text', { x: left, y: height - 4 }, data.first), svg('text', { x: width - right, y: height - 4, 'text-anchor': 'end' }, data.final),
    data.running && end[0] > 70 && end[0] < width - 70 && svg('text', { x: end[0], y: height - 4, 'text-anchor': 'middle' }, data.todayText));
}

// Hours: orders up, tickets down.
export function mirror(name, hours, now) {
  const width = 480, half = 68, middle = 76, step = width / 24;
  const most = Math.max(1, ...hours.map((h) => Math.max(h.orders, h.opened)));
  return picture(width, 168, name,
    hours.map((h, i) => {
      const up = (h.orders / most) * half, down = (h.opened / most) * half, x = round(i * step + 2);
      return [now === i && svg('rect', { x: x - 2, y: 2, width: round(step), height: 150, rx: 4, class: 'f-track' }),
        h.orders > 0 && svg('rect', { x, y: round(middle - Math.max(2, up)), width: round(step - 4), height: round(Math.max(2, up)), rx: 2, class: 'f-sale' }),
        h.opened > 0 && svg('rect', { x, y: middle + 2, width: round(step - 4), height: round(Math.max(2, down)), rx: 2, class: 'f-service' })];
    }),
    svg('line', { x1: 0, x2: width, y1: middle + 1, y2: middle + 1, class: 's-line' }),
    [0, 6, 12, 18, 23].map((h) => svg('text', { x: round(h * step + step / 2), y: 165, 'text-anchor': 'middle' }, String(h))));
}

// A line of the last periods, the newest at its right end.
export function spark(name, values, style) {
  const known = values.filter((v) => v !== null), width = 120, height = 30;
  if (known.length < 4) return null;
  const low = Math.min(...known), high = Math.max(...known), span = high - low || 1;
  const points = values.map((v, i) => (v === null ? null : [3 + (i * (width - 6)) / (values.length - 1), 4 + (height - 8) * (1 - (v - low) / span)])).filter((p) => p);
  const end = points[points.length - 1];
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': name },
    svg('path', { d: path(points), class: `l thin s-${style}` }), svg('circle', { cx: end[0], cy: end[1], r: 3, class: `f-${style}` }));
}
