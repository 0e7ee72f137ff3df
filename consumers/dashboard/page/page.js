// The life of the page: what is asked for stands in the address; answers become cards; what is heard
// from the server makes it ask again. The only state besides is the last answers.
import { el, svg, by, show } from './dom.js';
import { w, setLanguage, language, time } from './words.js';
import * as cards from './cards.js';

const KINDS = ['day', 'week', 'month', 'quarter', 'year'];
const QUICK_MS = 500, SLOW_MS = 3000, SILENT_MS = 12000;
const state = { period: 'month', scope: 'all', dimension: 'region', answers: null, scopes: null, failed: false, connected: true, redis: true, reporter: true, heard: Date.now() };

// The address

function readAddress() {
  const asked = new URLSearchParams(location.search);
  state.period = asked.get('period') || 'month';
  state.scope = asked.get('scope') || 'all';
  state.dimension = asked.get('by') || 'region';
  setLanguage(asked.get('lang') || (navigator.language || '').slice(0, 2));
}

function address(change) {
  const all = { period: state.period, scope: state.scope, by: state.dimension, lang: language(), ...change };
  return `/?${new URLSearchParams(all)}`;
}

function go(change) {
  history.pushState(null, '', address(change));
  begin();
}

// Asking. What has not changed is not sent again: the browser asks with the ETag it knows.

async function ask(what, parameters) {
  const response = await fetch(`/api/v1/${what}?${new URLSearchParams(parameters)}`, { headers: { Accept: 'application/json' } });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail || response.statusText), { status: response.status });
  return body;
}

let round = 0;

async function readQuick(mine) {
  const { period, scope } = state, lang = language();
  const day = /^\d{4}-\d\d-\d\d$/.test(period) ? period : 'day';
  const [comparison, hours] = await Promise.all([ask('comparison', { period, scope, lang }), ask('hours', { period: day })]);
  if (mine !== round) return null;
  return { ...state.answers, comparison, hours };
}

async function readSlow(mine, known) {
  const c = known.comparison, scope = state.scope, lang = language();
  const measure = cards.measureOf(c), days = cards.daysBetween(c.first_day, c.last_day) + 1;
  const [targets, ratings, trail, daily, parts, scopes] = await Promise.all([
    ask('targets', {}), ask('ratings', { period: c.period, scope }),
    ask('history', { period: c.period, scope, lang, count: 12, metrics: 'response_p90,resolution_p90,csat_pct' }),
    c.period_kind === 'day' ? null : ask('history', { period: c.last_day, scope, lang, count: days, metrics: measure }),
    ask('breakdown', { period: c.period, dimension: state.dimension, lang, metrics: cards.partMetrics(c).join(',') }),
    ask('scopes', {})]);
  return mine === round ? { ...known, targets: targets.targets, ratings, trail, daily, parts, scopes } : null;
}

// Drawing

function drawPickers(c) {
  const kind = c ? c.period_kind : KINDS.includes(state.period) ? state.period : '';
  show('kinds', KINDS.map((k) => el('button', { type: 'button', 'data-keep': k, 'aria-pressed': String(k === kind), onclick: () => go({ period: k }) }, w(k))));
  by('period').textContent = c ? c.label : KINDS.includes(state.period) ? w(state.period) : state.period;
  by('back').onclick = () => c && go({ period: c.previous.period });
  by('forth').onclick = () => c && go({ period: next(c) });
  by('back').disabled = !c || (state.scopes && state.scopes.first_day && c.first_day <= state.scopes.first_day);
  by('forth').disabled = !c || c.last_day >= c.today;
  document.title = c ? `${c.table.verdict.sentence} · tandem` : 'tandem';
}

// The period after one, by the day that follows its last.
function next(c) {
  const day = new Date(Date.parse(c.last_day) + 86400000), year = day.getUTCFullYear(), month = day.getUTCMonth();
  const iso = day.toISOString();
  if (c.period_kind === 'day') return iso.slice(0, 10);
  if (c.period_kind === 'month') return iso.slice(0, 7);
  if (c.period_kind === 'quarter') return `${year}-Q${Math.floor(month / 3) + 1}`;
  if (c.period_kind === 'year') return String(year);
  const thursday = new Date(day.getTime() + 3 * 86400000), first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return `${thursday.getUTCFullYear()}-W${String(Math.ceil(((thursday - first) / 86400000 + 1) / 7)).padStart(2, '0')}`;
}

function drawScopes(scopes) {
  const select = by('scope'), wanted = state.scope, lang = language();
  const mark = JSON.stringify([scopes.scopes, wanted, lang]);
  if (select.dataset.mark === mark) return;
  select.dataset.mark = mark;
  const groups = new Map();
  for (const scope of scopes.scopes.includes(wanted) ? scopes.scopes : [...scopes.scopes, wanted]) {
    const [dimension, value] = scope.split('=');
    if (value) groups.set(dimension, [...(groups.get(dimension) || []), [scope, value]]);
  }
  select.replaceChildren(el('option', { value: 'all', selected: wanted === 'all' }, w('all')),
    ...[...groups].map(([dimension, list]) => el('optgroup', { label: dimension }, list.map(([scope, value]) => el('option', { value: scope, selected: scope === wanted }, value)))));
}

function drawStill() {
  document.documentElement.lang = language();
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = w(node.dataset.word);
  for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', w(node.dataset.label));
  by('lang').textContent = language() === 'en' ? 'RO' : 'EN';
  by('lang').setAttribute('aria-label', `${by('lang').textContent}: ${w('language')}`);
  by('theme').setAttribute('aria-label', w('theme'));
}

function drawQuick(a) {
  const c = a.comparison;
  by('empty').hidden = true;
  by('figures').hidden = false;
  by('business').textContent = c.business;
  drawPickers(c);
  cards.verdict(c);
  cards.table(c);
  cards.link(c);
  cards.times(c, a.trail);
  cards.hours(c, a.hours);
  cards.target(c, a.daily, a.targets);
  cards.service(c, a.ratings, a.targets, a.trail);
  by('closing').textContent = c.table.closing;
  by('asof').textContent = w('asOf', time(c.as_of, c.timezone));
  document.body.dataset.revision = c.revision;
}

function drawSlow(a) {
  drawQuick(a);
  drawScopes(a.scopes);
  cards.parts(a.comparison, a.parts, a.scopes.dimensions, (d) => go({ by: d }), (scope) => address({ scope }));
}

function emptyPicture() {
  return svg('svg', { viewBox: '0 0 32 32', width: 84, height: 84, 'aria-hidden': 'true' },
    svg('circle', { cx: 11.5, cy: 19, r: 6, class: 'l s-sale' }), svg('circle', { cx: 20.5, cy: 13, r: 6, class: 'l s-service' }));
}

// Nothing to show: because nothing is there, or because it could not be read.
async function drawEmpty(error) {
  const scopes = await ask('scopes', {}).catch(() => null);
  const missing = error.status === 404, never = missing && scopes && !scopes.first_day;
  by('figures').hidden = true;
  by('empty').hidden = false;
  state.scopes = scopes;
  drawPickers(null);
  if (scopes) { drawScopes(scopes); by('business').textContent = scopes.business; }
  show('empty', emptyPicture(), el('h2', null, never ? w('emptyTitle') : missing ? w('noneTitle', `${KINDS.includes(state.period) ? w(state.period) : state.period}, ${state.scope}`) : w('failed')),
    el('p', null, never ? w('emptyText') : missing ? w('noneText') : error.message),
    never && el('pre', null, 'tandem sales-worker\ntandem service-worker\ntandem customers-worker\ntandem reporter'),
    !never && el('button', { type: 'button', onclick: () => (missing ? go({ period: 'month', scope: 'all' }) : begin()) }, missing ? w('toNow') : w('again')));
}

// Live

function drawLive() {
  const c = state.answers && state.answers.comparison;
  const when = c ? time(c.as_of, c.timezone) : '–';
  const silent = Date.now() - state.heard > SILENT_MS;
  const why = !state.connected || silent ? w('lost', when) : !state.redis ? w('redisAway', when) : !state.reporter && c ? w('noReporter', when) : '';
  const stale = why !== '';
  by('live').dataset.state = stale ? 'stale' : state.answers || !by('empty').hidden ? 'live' : 'loading';
  if (by('live-text').textContent !== w(by('live').dataset.state)) by('live-text').textContent = w(by('live').dataset.state);
  by('notice').hidden = !stale;
  if (by('notice').textContent !== why) by('notice').textContent = why;
  document.body.classList.toggle('old', stale && (!state.connected || !state.redis));
}

let stream = null, timer = null, quickAt = 0, slowAt = 0;

async function refresh() {
  timer = null;
  const mine = round;
  quickAt = Date.now();
  try {
    const quick = await readQuick(mine);
    if (!quick) return;
    state.answers = quick;
    if (quick.parts) drawQuick(quick);
    if (!quick.parts || Date.now() - slowAt > SLOW_MS) {
      slowAt = Date.now();
      if (!quick.parts) drawQuick(quick);
      const slow = await readSlow(mine, quick);
      if (!slow) return;
      state.answers = { ...slow, comparison: state.answers.comparison, hours: state.answers.hours };
      state.scopes = slow.scopes;
      drawSlow(state.answers);
    } else {
      later(SLOW_MS); // what was left out this time
    }
    by('main').setAttribute('aria-busy', 'false');
  } catch (error) {
    if (mine !== round) return;
    if (!state.answers || error.status === 404) { state.answers = null; await drawEmpty(error); }
    later(2000);
  }
  drawLive();
}

function later(ms) {
  if (timer === null) timer = setTimeout(refresh, ms);
}

function changed() {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  later(Math.max(0, quickAt + QUICK_MS - Date.now()));
  by('live').classList.remove('pulse');
  requestAnimationFrame(() => by('live').classList.add('pulse'));
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource(`/api/v1/events?${new URLSearchParams({ scope: state.scope })}`);
  const heard = () => { state.heard = Date.now(); state.connected = true; };
  stream.addEventListener('open', () => { const again = !state.connected; heard(); if (again) changed(); drawLive(); });
  stream.addEventListener('beat', (event) => {
    const said = JSON.parse(event.data), back = said.redis && !state.redis;
    heard();
    state.redis = said.redis;
    state.reporter = said.reporter;
    if (back) changed();
    drawLive();
  });
  stream.addEventListener('reset', () => { heard(); changed(); });
  stream.addEventListener('published', (event) => {
    const said = JSON.parse(event.data), c = state.answers && state.answers.comparison;
    heard();
    if (!c || said.period_kind === c.period_kind || said.period_kind === 'day') changed();
  });
  stream.addEventListener('error', () => {
    state.connected = false;
    drawLive();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000); // it was refused: the browser would not ask again
  });
}

// Beginning, at each new address

function begin() {
  const before = state.scope;
  readAddress();
  round++;
  slowAt = 0;
  if (timer !== null) clearTimeout(timer);
  timer = null;
  state.answers = null;
  drawStill();
  if (!stream || before !== state.scope) listen();
  refresh();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  by('theme').setAttribute('aria-pressed', String(theme === 'dark'));
}

const wanted = matchMedia('(prefers-color-scheme: dark)');
setTheme(localStorage.getItem('tandem-theme') || (wanted.matches ? 'dark' : 'light'));
wanted.addEventListener('change', () => localStorage.getItem('tandem-theme') || setTheme(wanted.matches ? 'dark' : 'light'));
by('theme').addEventListener('click', () => {
  const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  localStorage.setItem('tandem-theme', theme);
  setTheme(theme);
});
by('lang').addEventListener('click', () => go({ lang: language() === 'en' ? 'ro' : 'en' }));
by('scope').addEventListener('change', () => go({ scope: by('scope').value }));
by('parts').addEventListener('click', (event) => {
  const link = event.target.closest('a[data-scope]');
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); go({ scope: link.dataset.scope }); scrollTo(0, 0); }
});
addEventListener('popstate', begin);
setInterval(drawLive, 1000);
begin();
