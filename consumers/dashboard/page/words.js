// Words that only the page needs. Labels, states, sentences and values come from the API, which has
// them from the report.

const WORDS = {
  en: {
    skip: 'Skip to the figures', pickers: 'Period and scope', period: 'Period', earlier: 'Earlier', later: 'Later', scope: 'Scope', all: 'whole business',
    day: 'Day', week: 'Week', month: 'Month', quarter: 'Quarter', year: 'Year',
    live: 'Live', stale: 'Not live', loading: 'Loading', theme: 'Light or dark', language: 'Română',
    lost: (t) => `The connection is lost, trying again. The figures are from ${t}.`,
    redisAway: (t) => `Redis does not answer. The figures are from ${t}.`,
    noReporter: (t) => `No reporter runs, so nothing new is published. The figures are from ${t}.`,
    failed: 'The figures could not be read.', again: 'Try again', asOf: (t) => `as of ${t}`,
    emptyTitle: 'Nothing has been counted yet', emptyText: 'As soon as the first sale or the first ticket is counted and published, it is here, by itself. These have to run:',
    noneTitle: (p) => `Nothing is published for ${p}`, noneText: 'There were neither sales nor tickets here, or nobody has counted that far back.', toNow: 'To the running period',
    targetTitle: 'Sale: profit against target', noTarget: 'no target is set for this period', sofar: 'so far', perDay: 'so far, by day', goal: 'target', pace: 'where it should be', forecast: 'at this rate', today: 'today',
    serviceTitle: 'Service: are customers content?', floor: (f) => `floor ${f}`, ofRatings: 'ratings', promoters: 'promoters', passives: 'passives', detractors: 'detractors',
    linkTitle: 'What service does to sales', linkHead: 'come back after a rating', notCause: 'A correlation, not a cause.', content: 'content', unhappy: 'unhappy',
    gap: (x) => `${x}× as many content customers come back`, fromService: 'referred through service', fromSale: 'referred through sale',
    tableTitle: 'Sale and service, side by side', before: 'the period before', timesTitle: 'How fast service is', half: 'half', nine: '90 %', response: 'answered within', resolution: 'solved within',
    hoursTitle: 'Hours of the day', ordersUp: 'orders', ticketsDown: 'tickets', noHours: 'Hours are kept for 14 days.', noneToday: 'Nothing yet.',
    partsTitle: 'Which part sells well and serves badly', parts: 'by', value: 'Value', noParts: 'This dimension has no values yet.', sorted: 'sort by', trendUp: 'up', trendDown: 'down', wide: 'Counted of the whole business.',
    moneyAxis: 'in currency', days: 'days', noRatings: 'No ratings yet.', noTimes: 'Nothing is solved yet.', noLink: 'Not known yet: nobody rated and then had time to buy.', was: (x) => `was ${x}`, noTargetYet: 'no target',
  },
  ro: {
    skip: 'Sari la cifre', pickers: 'Perioadă și domeniu', period: 'Perioadă', earlier: 'Înapoi', later: 'Înainte', scope: 'Domeniu', all: 'toată afacerea',
    day: 'Zi', week: 'Săptămână', month: 'Lună', quarter: 'Trimestru', year: 'An',
    live: 'În direct', stale: 'Nu e în direct', loading: 'Se încarcă', theme: 'Luminos sau întunecat', language: 'English',
    lost: (t) => `Legătura s-a întrerupt, se încearcă din nou. Cifrele sunt de la ${t}.`,
    redisAway: (t) => `Redis nu răspunde. Cifrele sunt de la ${t}.`,
    noReporter: (t) => `Nu rulează niciun reporter, deci nu se publică nimic nou. Cifrele sunt de la ${t}.`,
    failed: 'Cifrele nu au putut fi citite.', again: 'Încearcă din nou', asOf: (t) => `la ${t}`,
    emptyTitle: 'Încă nu s-a numărat nimic', emptyText: 'De îndată ce prima vânzare sau prima solicitare este numărată și publicată, apare aici, de la sine. Trebuie să ruleze:',
    noneTitle: (p) => `Nu s-a publicat nimic pentru ${p}`, noneText: 'Nu au fost nici vânzări, nici solicitări aici, sau nimeni nu a numărat atât de departe.', toNow: 'La perioada în curs',
    targetTitle: 'Vânzare: profit față de țintă', noTarget: 'nu este stabilită o țintă pentru această perioadă', sofar: 'până acum', perDay: 'până acum, pe zile', goal: 'țintă', pace: 'unde ar trebui să fie', forecast: 'în acest ritm', today: 'azi',
    serviceTitle: 'Service: sunt clienții mulțumiți?', floor: (f) => `prag ${f}`, ofRatings: 'evaluări', promoters: 'promotori', passives: 'neutri', detractors: 'critici',
    linkTitle: 'Ce face service-ul pentru vânzări', linkHead: 'revin după o evaluare', notCause: 'O corelație, nu o cauză.', content: 'mulțumiți', unhappy: 'nemulțumiți',
    gap: (x) => `de ${x}× mai mulți clienți mulțumiți revin`, fromService: 'recomandați prin service', fromSale: 'recomandați prin vânzare',
    tableTitle: 'Vânzare și service, alăturate', before: 'perioada dinainte', timesTitle: 'Cât de repede este service-ul', half: 'jumătate', nine: '90 %', response: 'răspuns în', resolution: 'rezolvat în',
    hoursTitle: 'Orele zilei', ordersUp: 'comenzi', ticketsDown: 'solicitări', noHours: 'Orele se păstrează 14 zile.', noneToday: 'Încă nimic.',
    partsTitle: 'Care parte vinde bine și servește prost', parts: 'după', value: 'Valoare', noParts: 'Această dimensiune încă nu are valori.', sorted: 'sortează după', trendUp: 'mai mult', trendDown: 'mai puțin', wide: 'Numărat pentru toată afacerea.',
    moneyAxis: 'în valută', days: 'zile', noRatings: 'Încă nu sunt evaluări.', noTimes: 'Încă nu s-a rezolvat nimic.', noLink: 'Încă nu se știe: lipsesc evaluări urmate de timp pentru cumpărături.', was: (x) => `era ${x}`, noTargetYet: 'fără țintă',
  },
};

let lang = 'en';

export function setLanguage(code) { lang = WORDS[code] ? code : 'en'; }
export const language = () => lang;
export const w = (name, ...args) => (typeof WORDS[lang][name] === 'function' ? WORDS[lang][name](...args) : WORDS[lang][name]);

const locale = () => (lang === 'ro' ? 'ro-RO' : 'en-GB');
export const number = (value, digits = 0) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
export const time = (seconds, zone) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone }).format(new Date(seconds * 1000));
