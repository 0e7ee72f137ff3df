// What each card shows. A card takes the answers of the API and puts its elements in place.
import { el, show } from './dom.js';
import { w, number } from './words.js';
import { bar, tinyBar, stack, columns, burnUp, mirror, spark } from './charts.js';

const LESS_IS_BETTER = /^(refund_pct|response_|resolution_|turnaround_|reopen_pct|claim_rate_pct|contact_rate|dissatisfied_return_pct|gap|backlog_change)/;
const NEITHER = /^(after_pct|interacted_pct|csat_n|nps_n|ces_n|cost_coverage|after_service_pct|opened|interactions)/;
const LEVELS = { ok: 'ok', notice: 'notice-level', warning: 'warning', critical: 'critical' };
const SALE_LEVEL = { good: 'ok', weak: 'warning', none: 'notice-level' };
const SERVICE_LEVEL = { content: 'ok', at_risk: 'warning', unhappy: 'critical', unknown: 'notice-level' };

const sameDay = (a, days) => new Date(Date.parse(a) + days * 86400000).toISOString().slice(0, 10);
export const daysBetween = (a, b) => Math.round((Date.parse(b) - Date.parse(a)) / 86400000);
const heading = (text, ...more) => el('h2', null, el('span', null, text), more);
const pair = (label, ...value) => [el('dt', null, label), el('dd', null, value)];

// The currency that the business is judged in, else the first in which anything was sold.
export function currencyOf(comparison) {
  const fields = comparison.table.fields;
  const judged = /:([A-Z]{3})$/.exec(fields.judged || '');
  if (judged) return judged[1];
  const all = Object.keys(fields).filter((n) => n.startsWith('revenue:')).map((n) => n.slice(8));
  return all.find((c) => fields[`revenue:${c}`]) || all[0] || null;
}

export function measureOf(comparison) {
  const fields = comparison.table.fields, currency = currencyOf(comparison);
  return fields.judged && fields.judged !== 'none' ? fields.judged : currency ? `gross_profit:${currency}` : 'orders';
}

function trend(name, metric) {
  if (!metric) return null;
  if (!metric.change_text) {
    return metric.previous !== null && metric.previous !== undefined && metric.kind !== undefined && metric.change === null && metric.previous_text !== metric.text
      ? el('span', { class: 'trend' }, w('was', metric.previous_text)) : null;
  }
  const up = metric.change > 0, flat = Number(metric.change) === 0;
  const good = flat || NEITHER.test(name) ? '' : up === !LESS_IS_BETTER.test(name) ? ' good' : ' bad';
  return el('span', { class: `trend${good}`, title: w('was', metric.previous_text) },
    el('span', { 'aria-hidden': 'true' }, flat ? '' : up ? '▲ ' : '▼ '), metric.change_text);
}

const valued = (comparison, name) => {
  const metric = comparison.metrics[name];
  return metric && metric.value !== null ? metric : null;
};

export function verdict(c) {
  const v = c.table.verdict, states = c.states;
  const at = document.getElementById('verdict');
  at.dataset.severity = v.severity;
  show('verdict',
    el('div', { class: 'states' },
      el('span', { class: `pill ${LEVELS[v.severity] || 'notice-level'}` }, states.severity.text),
      el('span', { class: `pill ${SALE_LEVEL[states.sale.code] || 'notice-level'}` }, `${c.table.columns[1]}: ${states.sale.text}`),
      el('span', { class: `pill ${SERVICE_LEVEL[states.service.code] || 'notice-level'}` }, `${c.table.columns[2]}: ${states.service.text}`)),
    el('p', { class: 'sentence' }, v.sentence),
    el('ul', null, v.reasons.map((r) => el('li', null, r.text))));
}

// Sale

function weightsOf(targets) {
  const pace = (targets && targets.pace) || {}, holidays = new Set(pace.holidays || []);
  const weights = pace.weights || [1, 1, 1, 1, 1, 1, 1];
  return (day) => (holidays.has(day) ? 0 : weights[(new Date(Date.parse(day)).getUTCDay() + 6) % 7]);
}

// Where the target wants the sum to stand at the end of each day.
function shouldBe(c, target, targets) {
  const weigh = weightsOf(targets), days = [];
  for (let i = 0; i <= daysBetween(c.first_day, c.last_day); i++) days.push(weigh(sameDay(c.first_day, i)));
  const whole = days.reduce((a, b) => a + b, 0) || 1;
  let sum = 0;
  return days.map((d) => { sum += d; return (target * sum) / whole; });
}

function burnUpOf(c, measure, history, targets) {
  const fields = c.table.fields, target = fields[`target:${measure}`];
  const known = history.points.filter((p) => p.first_day <= c.today);
  let sum = 0;
  const sums = known.map((p) => { sum += p.values[0] || 0; return sum; });
  const clock = new Intl.DateTimeFormat('en', { hour: 'numeric', minute: 'numeric', hourCycle: 'h23', timeZone: c.timezone }).formatToParts(new Date(c.as_of * 1000));
  const part = (type) => Number(clock.find((p) => p.type === type).value);
  const text = (name) => (c.metrics[name] ? c.metrics[name].text : '');
  return burnUp(`${w('perDay')}: ${text(measure)}${target ? `; ${w('goal')}: ${text(`target:${measure}`)}; ${w('forecast')}: ${text(`forecast:${measure}`)}` : ''}`, {
    sums, should: shouldBe(c, target || 0, targets), target: target || null, running: !c.closed,
    forecast: fields[`forecast:${measure}`] ?? null, partial: c.closed ? 0 : Math.max(0.02, (part('hour') * 60 + part('minute')) / 1440),
    targetText: `${w('goal')} ${text(`target:${measure}`)}`, todayText: w('today'),
    first: day(c.first_day), final: day(c.last_day),
  });
}

const day = (date) => number(Number(date.slice(8))) + '.' + date.slice(5, 7);

export function target(c, history, targets) {
  const measure = measureOf(c), actual = c.metrics[measure], goal = valued(c, `target:${measure}`);
  const one = (name) => { const m = valued(c, `${name}:${measure}`); return m && pair(m.label, m.text); };
  const reached = valued(c, `attainment_pct:${measure}`), pace = valued(c, `pace_pct:${measure}`);
  const chart = c.period_kind === 'day'
    ? goal && bar(`${actual.text}, ${w('goal')} ${goal.text}`, actual.value, Math.max(goal.value, actual.value), 'f-sale', goal.value)
    : history && el('div', null, burnUpOf(c, measure, history, targets),
      el('div', { class: 'legend', 'aria-hidden': 'true' }, el('span', null, el('i', { class: 'sale' }), w('perDay')), goal && el('span', null, el('i', { class: 'dashed' }), w('pace'))));
  show('target', heading(w('targetTitle'), reached && el('span', { class: `pill ${SALE_LEVEL[c.states.sale.code]}` }, c.states.sale.text)),
    el('p', { class: 'big' }, actual ? actual.text : '–', ' ', el('small', null, actual ? actual.label : ''), trend(measure, actual)),
    el('p', { class: 'soft' }, goal ? `${reached ? reached.text : '–'} ${w('goal') === 'target' ? 'of' : 'din'} ${goal.text}` : w('noTarget')),
    chart && el('figure', null, chart),
    goal && el('dl', { class: 'pairs' }, pace && pair(pace.label, pace.text), one('forecast'), one('gap'), !c.closed && one('required_rate')));
}

// Service

export function service(c, ratings, targets, history) {
  const csat = valued(c, 'csat_pct'), nps = valued(c, 'nps'), easy = valued(c, 'ces_easy_pct');
  const floor = Number((targets && targets.service && targets.service.csat_floor) || 80);
  const total = ratings ? ratings.csat.reduce((s, r) => s + r.count, 0) : 0;
  const sum = (from, to) => ratings.nps.filter((r) => r.score >= from && r.score <= to).reduce((s, r) => s + Math.max(0, r.count), 0);
  const needed = c.table.rows.find((r) => r.key === 'target').service.lines.find((l) => l.metric === 'ratings_needed');
  const head = [heading(w('serviceTitle'), el('span', { class: `pill ${SERVICE_LEVEL[c.states.service.code] || 'notice-level'}` }, c.states.service.text))];
  if (!csat) { show('service', head, el('p', { class: 'big' }, '–'), el('p', { class: 'soft' }, w('noRatings'))); return; }
  const style = csat.value < floor ? 'f-bad' : 'f-service';
  show('service', head,
    el('p', { class: 'big' }, csat.text, ' ', el('small', null, 'CSAT', trend('csat_pct', csat))),
    el('figure', null, bar(`CSAT ${csat.text}, ${w('floor', number(floor, 2))} %`, csat.value, 100, style, floor)),
    el('p', { class: 'soft' }, `${w('floor', number(floor, 2))} %${needed ? `; ${needed.label}: ${needed.text}` : ''}`),
    total > 0 && el('figure', null, columns(`${w('ofRatings')}: ${ratings.csat.map((r) => `${r.score}: ${r.count}`).join(', ')}`,
      ratings.csat.map((r) => ({ count: r.count, label: '★'.repeat(r.score), text: number(r.count), style: r.score >= 4 ? 'f-service' : r.score === 3 ? 'f-mid' : 'f-bad' })))),
    nps && ratings && el('div', null, el('h3', null, 'NPS ', el('b', null, nps.text), trend('nps', nps)),
      stack(`NPS: ${w('promoters')} ${sum(9, 10)}, ${w('passives')} ${sum(7, 8)}, ${w('detractors')} ${sum(0, 6)}`,
        [{ count: sum(9, 10), style: 'f-service' }, { count: sum(7, 8), style: 'f-mid' }, { count: sum(0, 6), style: 'f-bad' }]),
      el('div', { class: 'legend' }, [['service', 'promoters', 9, 10], ['mid', 'passives', 7, 8], ['bad', 'detractors', 0, 6]].map(([style, name, from, to]) =>
        el('span', null, el('i', { class: style }), `${w(name)} ${number(sum(from, to))}`)))),
    easy && el('dl', { class: 'pairs' }, pair(easy.label, easy.text, trend('ces_easy_pct', easy))),
    history && spark('CSAT', history.points.map((p) => p.values[2]), 'service'));
}

// What the one does to the other

export function link(c) {
  const content = valued(c, 'satisfied_return_pct'), unhappy = valued(c, 'dissatisfied_return_pct');
  const row = (metric, style) => metric && el('div', null, el('h3', null, metric.label),
    el('p', { class: 'big' }, metric.text, trend(metric === content ? 'satisfied_return_pct' : 'dissatisfied_return_pct', metric)),
    bar(`${metric.label}: ${metric.text}`, metric.value, 100, style));
  const more = ['after_service_pct', 'referred_by_sale', 'referred_by_service', 'converted_by_sale', 'converted_by_service'];
  const names = { referred_by_sale: w('fromSale'), referred_by_service: w('fromService'), converted_by_sale: `${w('fromSale')} → ${c.metrics.converted_by_sale ? c.metrics.converted_by_sale.label : ''}`, converted_by_service: `${w('fromService')} → ${c.metrics.converted_by_service ? c.metrics.converted_by_service.label : ''}` };
  const assisted = valued(c, `assisted_revenue:${currencyOf(c)}`);
  show('link', heading(w('linkTitle')),
    content || unhappy ? [row(content, 'f-service'), row(unhappy, 'f-bad'), el('p', { class: 'soft' }, w('notCause'))] : el('p', { class: 'soft' }, w('noLink')),
    el('dl', { class: 'pairs' }, assisted && pair(assisted.label, assisted.text),
      more.map((name) => valued(c, name) && pair(names[name] || c.metrics[name].label, c.metrics[name].text))));
}

// The table of the article

function line(l, c) {
  if (!l.metric) return el('div', { class: 'line note' }, l.text);
  return el('div', { class: 'line' }, el('span', null, l.label || ''), el('b', null, el('span', { 'data-metric': l.metric }, l.text), trend(l.metric, c.metrics[l.metric])));
}

export function table(c) {
  const t = c.table, side = (row, name, i) => el('td', { class: name, 'data-side': t.columns[i] }, row[name].lines.map((l) => line(l, c)));
  const group = (name) => el('tbody', null, el('tr', { class: 'group' }, el('th', { colspan: 3, scope: 'rowgroup' }, t.groups[name])),
    t.rows.filter((r) => r.group === name).map((row) => el('tr', null, el('th', { scope: 'row' }, row.label), side(row, 'sale', 1), side(row, 'service', 2))));
  show('table', heading(w('tableTitle'), c.previous.published && el('span', null, `▲▼ ${w('before')}: ${c.previous.label}`)),
    el('table', { class: 'sides' }, el('caption', { class: 'unseen' }, t.title),
      el('thead', null, el('tr', null, el('th', { scope: 'col' }, t.columns[0]), el('th', { scope: 'col', class: 'sale' }, t.columns[1]), el('th', { scope: 'col', class: 'service' }, t.columns[2]))),
      group('difference'), group('similarity')));
}

// Times and hours

export function times(c, history) {
  const one = (name, at) => {
    const half = valued(c, `${name}_p50`), nine = valued(c, `${name}_p90`);
    if (!nine) return null;
    return el('div', null, el('h3', null, w(name)),
      bar(`${w(name)}: ${w('half')} ${half.text}, ${w('nine')} ${nine.text}`, half.value, nine.value, 'f-service'),
      el('dl', { class: 'pairs' }, pair(w('half'), half.text, trend(`${name}_p50`, half)), pair(w('nine'), nine.text, trend(`${name}_p90`, nine))),
      history && spark(`${w(name)}, ${w('nine')}`, history.points.map((p) => p.values[at]), 'service'));
  };
  const rest = ['first_contact_pct', 'reopen_pct', 'contact_rate', 'backlog_change'].map((n) => valued(c, n) && pair(c.metrics[n].label, c.metrics[n].text, trend(n, c.metrics[n])));
  const both = [one('response', 0), one('resolution', 1)];
  show('times', heading(w('timesTitle')), both.some((b) => b) ? both : el('p', { class: 'soft' }, w('noTimes')), el('dl', { class: 'pairs' }, rest));
}

export function hours(c, answer) {
  const any = answer.hours.some((h) => h.orders > 0 || h.opened > 0), today = answer.day === c.today;
  const now = today ? Number(new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone: c.timezone }).format(new Date())) : -1;
  const sum = (name) => answer.hours.reduce((s, h) => s + h[name], 0);
  show('hours', heading(w('hoursTitle'), el('span', null, today ? w('today') : answer.day)),
    answer.kept || any ? [el('figure', null, mirror(`${w('ordersUp')}: ${sum('orders')}, ${w('ticketsDown')}: ${sum('opened')}`, answer.hours, now)),
      el('div', { class: 'legend' }, el('span', null, el('i', { class: 'sale' }), `${w('ordersUp')} ${number(sum('orders'))}`), el('span', null, el('i', { class: 'service' }), `${w('ticketsDown')} ${number(sum('opened'))}`))]
      : el('p', { class: 'soft' }, w('noHours')),
    c.scope !== 'all' && el('p', { class: 'soft' }, w('wide')));
}

// Parts of the business

const order = { by: 1, down: true };

export function partMetrics(c) {
  const currency = currencyOf(c);
  return ['orders', ...(currency ? [`gross_profit:${currency}`, `refund_pct:${currency}`] : []), 'csat_pct', 'csat_n', 'response_p90', 'contact_rate'];
}

export function parts(c, answer, dimensions, choose, open) {
  const redraw = () => parts(c, answer, dimensions, choose, open);
  const tabs = el('div', { class: 'tabs', role: 'group', 'aria-label': w('parts') }, dimensions.map((d) =>
    el('button', { type: 'button', 'data-keep': `tab-${d}`, 'aria-pressed': String(d === answer.dimension), onclick: () => choose(d) }, d.replace(/^labels\./, ''))));
  const rows = answer.rows.filter((r) => r.published);
  const head = (text, i) => el('th', { scope: 'col', 'aria-sort': order.by === i ? (order.down ? 'descending' : 'ascending') : null },
    el('button', { type: 'button', 'data-keep': `sort-${i}`, onclick: () => { order.down = order.by === i ? !order.down : i > 0; order.by = i; redraw(); } },
      text, order.by === i ? el('span', { 'aria-hidden': 'true' }, order.down ? ' ↓' : ' ↑') : ''));
  const key = (r) => (order.by === 0 ? r.value : r.values[order.by - 1]);
  rows.sort((a, b) => {
    const x = key(a), y = key(b);
    if (x === null || y === null) return (x === null) - (y === null);
    return (x < y ? -1 : x > y ? 1 : 0) * (order.down ? -1 : 1);
  });
  const most = answer.metrics.map((name, i) => (/_pct/.test(name) ? 100 : Math.max(1, ...rows.map((r) => r.values[i] || 0))));
  const styles = answer.metrics.map((name) => (/^(orders|gross|refund)/.test(name) ? 'f-sale' : 'f-service'));
  show('parts', heading(w('partsTitle'), tabs), rows.length === 0 ? el('p', { class: 'soft' }, w('noParts')) :
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': w('partsTitle') }, el('table', { class: 'parts' },
      el('thead', null, el('tr', null, head(w('value'), 0), answer.labels.map((l, i) => head(l, i + 1)))),
      el('tbody', null, rows.slice(0, 200).map((r) => el('tr', null,
        el('th', { scope: 'row' }, el('a', { href: open(`${answer.dimension}=${r.value}`), 'data-scope': `${answer.dimension}=${r.value}` }, r.value)),
        r.texts.map((text, i) => el('td', null, el('div', { class: 'cell' }, text, r.values[i] !== null && answer.metrics[i] !== 'csat_n' && tinyBar(r.values[i] / most[i], styles[i]))))))))));
}
