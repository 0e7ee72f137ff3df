#include "consumers/report/render.h"

#include "tests/unit/scene.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A busy month, half gone by. */
static const struct scene busy = {
    .sale = "orders=1447 orders:RON=1447 net:RON=118447860 net_costed:RON=110000000 "
            "cost:RON=85000000 refund_net:RON=2400000 refund_net_costed:RON=2400000 "
            "refund_cost:RON=1800000 interactions_prospect=312 referred=9 assisted_net:RON=7350000",
    .service = "opened=830 opened_after=664 csat_n=612 csat_4=220 csat_5=246 csat_sum=2390 "
               "nps_n=101 nps_9=40 nps_2=21 ces_n=50 ces_6=41 contacts_known=400 first_contact=290 "
               "resolution_n=3 resolution_b300=3 settled_in_warranty=20 "
               "claim_rejected_in_warranty=1 referred=17",
    .targets = "{\"version\":1,\"targets\":[{\"period\":\"2026-11\",\"currency\":\"RON\","
               "\"amount\":50000000}]}",
};

static const char busy_en[] =
    "Sale versus service: comparison table\n"
    "main, whole business: November 2026, running\n"
    "as of 2026-11-16 00:00 (Europe/Bucharest)\n"
    "\n"
    "Axis                Sale                           Service\n"
    "──────────────────  ─────────────────────────────  ─────────────────────────────\n"
    "Differences\n"
    "\n"
    "Purpose             gross profit   244,000.00 RON  CSAT                  76.14 %\n"
    "                    margin                22.68 %  CSAT ratings              612\n"
    "                    cost known for        92.87 %  warranty honoured     95.00 %\n"
    "\n"
    "Target              behind target                  unhappy\n"
    "                    reached     48.80 % of target  ratings 4-5 needed        118\n"
    "                    pace                  97.60 %\n"
    "                    gap            256,000.00 RON\n"
    "\n"
    "New customers       sought actively                earned by goodwill\n"
    "                    new customers               –  became customers            –\n"
    "                    prospects met             312  referred                   17\n"
    "\n"
    "Customer happiness  an effect, not an aim          CSAT                  76.14 %\n"
    "and satisfaction    refunded               2.03 %  CSAT mean                3.91\n"
    "                    unhappy come back           –  NPS                     18.81\n"
    "                                                   found it easy         82.00 %\n"
    "                                                   solved at once        72.50 %\n"
    "                                                   content come back           –\n"
    "\n"
    "Interaction with    before the sale                after the sale\n"
    "the customer        share of orders             –  share of tickets      80.00 %\n"
    "\n"
    "Similarities\n"
    "\n"
    "Repeat sales        bought again                –  correlation, not cause\n"
    "                                                   of them after service       –\n"
    "\n"
    "Business            customers kept              –  led by service  73,500.00 RON\n"
    "continuity          revenue change              –  90 % solved in     3 h 11 min\n"
    "\n"
    "Indirect            referred                    9  referred                   17\n"
    "(referred)          became customers            –  became customers            –\n"
    "customers\n"
    "────────────────────────────────────────────────────────────────────────────────\n"
    "Sales are behind target and customers are unhappy: both functions need\n"
    "attention. [critical]\n"
    "- pace, gross profit RON 97.60 % < 100.00 % (1,447 orders)\n"
    "- CSAT 76.14 % < 80.00 % (612 ratings)\n"
    "\n"
    "A business needs both.\n";

static const char busy_ro[] =
    "Vânzare versus service: tabel de comparație\n"
    "main, toată afacerea: noiembrie 2026, în curs\n"
    "la 2026-11-16 00:00 (Europe/Bucharest)\n"
    "\n"
    "Criteriu            Vânzare                        Service\n"
    "──────────────────  ─────────────────────────────  ─────────────────────────────\n"
    "Diferențe\n"
    "\n"
    "Scop                profit brut    244.000,00 RON  CSAT                  76,14 %\n"
    "                    marjă                 22,68 %  evaluări CSAT             612\n"
    "                    cost cunoscut la      92,87 %  garanții onorate      95,00 %\n"
    "\n"
    "Țintă               sub țintă                      nemulțumiți\n"
    "                    realizat    48,80 % din țintă  note de 4-5 necesare      118\n"
    "                    ritm                  97,60 %\n"
    "                    rest           256.000,00 RON\n"
    "\n"
    "Clienți noi         căutați activ                  câștigați prin bunăvoință\n"
    "                    clienți noi                 –  au devenit clienți          –\n"
    "                    contacte cu potențiali    312  recomandați                17\n"
    "\n"
    "Fericirea și        efect, nu scop                 CSAT                  76,14 %\n"
    "satisfacția         rambursat              2,03 %  media CSAT               3,91\n"
    "clienților          nemulțumiți care revin      –  NPS                     18,81\n"
    "                                                   le-a fost ușor        82,00 %\n"
    "                                                   rezolvat din prima    72,50 %\n"
    "                                                   mulțumiți care revin        –\n"
    "\n"
    "Interacțiunea cu    înainte de vânzare             după vânzare\n"
    "clientul            din comenzi                 –  din solicitări        80,00 %\n"
    "\n"
    "Asemănări\n"
    "\n"
    "Vânzări repetate    cumpără din nou             –  corelație, nu cauză\n"
    "                                                   dintre ei după service      –\n"
    "\n"
    "Continuitatea       clienți păstrați            –  prin service    73.500,00 RON\n"
    "afacerii            variația venitului          –  90 % rezolvate în  3 h 11 min\n"
    "\n"
    "Clienți indirecți   recomandați                 9  recomandați                17\n"
    "(recomandați)       au devenit clienți          –  au devenit clienți          –\n"
    "────────────────────────────────────────────────────────────────────────────────\n"
    "Vânzările sunt sub țintă, iar clienții sunt nemulțumiți: ambele funcții au\n"
    "nevoie de atenție. [critic]\n"
    "- ritm, profit brut RON 97,60 % < 100,00 % (1.447 de comenzi)\n"
    "- CSAT 76,14 % < 80,00 % (612 evaluări)\n"
    "\n"
    "O afacere are nevoie de ambele.\n";

static const char busy_csv[] =
    "business,scope,period_kind,period,group,row,side,metric,value,label,text\n"
    "main,all,month,2026-11,difference,purpose,sale,gross_profit:RON,24400000,profit brut,\"244.000,00 RON\"\n"
    "main,all,month,2026-11,difference,purpose,sale,margin_pct:RON,22.68,marjă,\"22,68 %\"\n"
    "main,all,month,2026-11,difference,purpose,sale,cost_coverage_pct:RON,92.87,cost cunoscut la,\"92,87 %\"\n"
    "main,all,month,2026-11,difference,purpose,service,csat_pct,76.14,CSAT,\"76,14 %\"\n"
    "main,all,month,2026-11,difference,purpose,service,csat_n,612,evaluări CSAT,612\n"
    "main,all,month,2026-11,difference,purpose,service,honoured_pct,95.00,garanții onorate,\"95,00 %\"\n"
    "main,all,month,2026-11,difference,target,sale,,,,sub țintă\n"
    "main,all,month,2026-11,difference,target,sale,attainment_pct:gross_profit:RON,48.80,realizat,\"48,80 % din țintă\"\n"
    "main,all,month,2026-11,difference,target,sale,pace_pct:gross_profit:RON,97.60,ritm,\"97,60 %\"\n"
    "main,all,month,2026-11,difference,target,sale,gap:gross_profit:RON,25600000,rest,\"256.000,00 RON\"\n"
    "main,all,month,2026-11,difference,target,service,,,,nemulțumiți\n"
    "main,all,month,2026-11,difference,target,service,ratings_needed,118,note de 4-5 necesare,118\n"
    "main,all,month,2026-11,difference,new_customers,sale,,,,căutați activ\n"
    "main,all,month,2026-11,difference,new_customers,sale,customers_new,NaN,clienți noi,–\n"
    "main,all,month,2026-11,difference,new_customers,sale,interactions_prospect,312,contacte cu potențiali,312\n"
    "main,all,month,2026-11,difference,new_customers,service,,,,câștigați prin bunăvoință\n"
    "main,all,month,2026-11,difference,new_customers,service,converted_by_service,NaN,au devenit clienți,–\n"
    "main,all,month,2026-11,difference,new_customers,service,referred_by_service,17,recomandați,17\n"
    "main,all,month,2026-11,difference,happiness,sale,,,,\"efect, nu scop\"\n"
    "main,all,month,2026-11,difference,happiness,sale,refund_pct:RON,2.03,rambursat,\"2,03 %\"\n"
    "main,all,month,2026-11,difference,happiness,sale,dissatisfied_return_pct,NaN,nemulțumiți care revin,–\n"
    "main,all,month,2026-11,difference,happiness,service,csat_pct,76.14,CSAT,\"76,14 %\"\n"
    "main,all,month,2026-11,difference,happiness,service,csat_mean,3.91,media CSAT,\"3,91\"\n"
    "main,all,month,2026-11,difference,happiness,service,nps,18.81,NPS,\"18,81\"\n"
    "main,all,month,2026-11,difference,happiness,service,ces_easy_pct,82.00,le-a fost ușor,\"82,00 %\"\n"
    "main,all,month,2026-11,difference,happiness,service,first_contact_pct,72.50,rezolvat din prima,\"72,50 %\"\n"
    "main,all,month,2026-11,difference,happiness,service,satisfied_return_pct,NaN,mulțumiți care revin,–\n"
    "main,all,month,2026-11,difference,interaction,sale,,,,înainte de vânzare\n"
    "main,all,month,2026-11,difference,interaction,sale,interacted_pct,NaN,din comenzi,–\n"
    "main,all,month,2026-11,difference,interaction,service,,,,după vânzare\n"
    "main,all,month,2026-11,difference,interaction,service,after_pct,80.00,din solicitări,\"80,00 %\"\n"
    "main,all,month,2026-11,similarity,repeat,sale,repeat_pct,NaN,cumpără din nou,–\n"
    "main,all,month,2026-11,similarity,repeat,service,,,,\"corelație, nu cauză\"\n"
    "main,all,month,2026-11,similarity,repeat,service,after_service_pct,NaN,dintre ei după service,–\n"
    "main,all,month,2026-11,similarity,continuity,sale,retention_pct,NaN,clienți păstrați,–\n"
    "main,all,month,2026-11,similarity,continuity,sale,revenue_change_pct:RON,NaN,variația venitului,–\n"
    "main,all,month,2026-11,similarity,continuity,service,assisted_revenue:RON,7350000,prin service,\"73.500,00 RON\"\n"
    "main,all,month,2026-11,similarity,continuity,service,resolution_p90,11519,90 % rezolvate în,3 h 11 min\n"
    "main,all,month,2026-11,similarity,indirect,sale,referred_by_sale,9,recomandați,9\n"
    "main,all,month,2026-11,similarity,indirect,sale,converted_by_sale,NaN,au devenit clienți,–\n"
    "main,all,month,2026-11,similarity,indirect,service,referred_by_service,17,recomandați,17\n"
    "main,all,month,2026-11,similarity,indirect,service,converted_by_service,NaN,au devenit clienți,–\n"
    "main,all,month,2026-11,verdict,verdict,,verdict,both_weak,,\"Vânzările sunt sub țintă, iar clienții sunt nemulțumiți: ambele funcții au nevoie de atenție.\"\n"
    "main,all,month,2026-11,verdict,severity,,severity,critical,,critic\n"
    "main,all,month,2026-11,verdict,reason,,pace_pct:gross_profit:RON,97.60,,\"ritm, profit brut RON 97,60 % < 100,00 % (1.447 de comenzi)\"\n"
    "main,all,month,2026-11,verdict,reason,,csat_pct,76.14,,\"CSAT 76,14 % < 80,00 % (612 evaluări)\"\n";

static const char busy_markdown[] =
    "# Sale versus service: comparison table\n"
    "\n"
    "main, whole business: November 2026, running, as of 2026-11-16 00:00 (Europe/Bucharest)\n"
    "\n"
    "| Axis | Sale | Service |\n"
    "| --- | --- | --- |\n"
    "| **Differences** | | |\n"
    "| Purpose | gross profit: **244,000.00 RON**<br>margin: **22.68 %**<br>cost known for: **92.87 %** | CSAT: **76.14 %**<br>CSAT ratings: **612**<br>warranty honoured: **95.00 %** |\n"
    "| Target | behind target<br>reached: **48.80 % of target**<br>pace: **97.60 %**<br>gap: **256,000.00 RON** | unhappy<br>ratings 4-5 needed: **118** |\n"
    "| New customers | sought actively<br>new customers: **–**<br>prospects met: **312** | earned by goodwill<br>became customers: **–**<br>referred: **17** |\n"
    "| Customer happiness and satisfaction | an effect, not an aim<br>refunded: **2.03 %**<br>unhappy come back: **–** | CSAT: **76.14 %**<br>CSAT mean: **3.91**<br>NPS: **18.81**<br>found it easy: **82.00 %**<br>solved at once: **72.50 %**<br>content come back: **–** |\n"
    "| Interaction with the customer | before the sale<br>share of orders: **–** | after the sale<br>share of tickets: **80.00 %** |\n"
    "| **Similarities** | | |\n"
    "| Repeat sales | bought again: **–** | correlation, not cause<br>of them after service: **–** |\n"
    "| Business continuity | customers kept: **–**<br>revenue change: **–** | led by service: **73,500.00 RON**<br>90 % solved in: **3 h 11 min** |\n"
    "| Indirect (referred) customers | referred: **9**<br>became customers: **–** | referred: **17**<br>became customers: **–** |\n"
    "\n"
    "**Sales are behind target and customers are unhappy: both functions need attention.** (critical)\n"
    "\n"
    "- pace, gross profit RON 97.60 % \\< 100.00 % (1,447 orders)\n"
    "- CSAT 76.14 % \\< 80.00 % (612 ratings)\n"
    "\n"
    "A business needs both.\n";

/* The caller's to free(). */
static char *draw(const struct fields *fields, enum render_format format, enum language language)
{
    struct error err = {0};
    struct zone *zone = NULL;
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(zone_open(&zone, "Europe/Bucharest", &err), 0);
    FILE *out = open_memstream(&text, &length);
    if (render(out, format, fields, language, zone, &err))
        fail_msg("%s", err.text);
    fclose(out);
    zone_free(zone);
    return text;
}

static void expect(enum render_format format, enum language language, const char *expected)
{
    struct fields *fields = scene_play(&busy);
    char *text = draw(fields, format, language);
    assert_string_equal(text, expected);
    free(text);
    fields_free(fields);
}

static void the_table_reads_well_in_english(void **state)
{
    (void)state;
    expect(RENDER_TABLE, LANGUAGE_EN, busy_en);
}

static void the_table_reads_well_in_romanian(void **state)
{
    (void)state;
    expect(RENDER_TABLE, LANGUAGE_RO, busy_ro);
}

static void csv_has_a_line_for_each_line_of_a_cell(void **state)
{
    (void)state;
    expect(RENDER_CSV, LANGUAGE_RO, busy_csv);
}

static void markdown_is_one_table_and_the_verdict(void **state)
{
    (void)state;
    expect(RENDER_MARKDOWN, LANGUAGE_EN, busy_markdown);
}

static void expect_80_columns(const char *text)
{
    char line[1024];
    while (*text) {
        size_t length = strcspn(text, "\n");
        assert_true(length < sizeof line);
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (words_width(line) > 80 || (length && line[length - 1] == ' '))
            fail_msg("[%s]", line);
        text += length + 1;
    }
}

static void every_line_fits_in_80_columns(void **state)
{
    (void)state;
    static const char *const currencies[] = {"EUR", "JPY", "KWD", "RON", "USD", NULL};
    struct scene wide = busy;
    wide.currencies = currencies;
    wide.scope = "channel=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    wide.sale = "net_costed:EUR=9223372036854775807 net:EUR=1 orders:EUR=1 net:JPY=7 orders:JPY=1 "
                "net_costed:KWD=-9223372036854775807 net:KWD=5 orders:KWD=1 "
                "refund_net:KWD=999999999999";
    wide.targets =
        "{\"version\":1,\"targets\":[{\"channel\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"period\":\"2026-11\","
        "\"currency\":\"RON\",\"amount\":9223372036854775807},{\"channel\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"period\":\"2026-11\","
        "\"measure\":\"orders\",\"amount\":9223372036854775807}]}";
    struct fields *fields = scene_play(&wide);
    for (enum language language = LANGUAGE_EN; language < LANGUAGES; language++) {
        char *text = draw(fields, RENDER_TABLE, language);
        expect_80_columns(text);
        free(text);
    }
    fields_free(fields);
    fields = scene_play(&busy);
    for (enum language language = LANGUAGE_EN; language < LANGUAGES; language++) {
        char *text = draw(fields, RENDER_TABLE, language);
        expect_80_columns(text);
        free(text);
    }
    fields_free(fields);
}

static void expect_in(const struct fields *fields, enum render_format format,
                      enum language language, const char *part)
{
    char *text = draw(fields, format, language);
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
    free(text);
}

static void several_currencies_take_a_line_each_and_idle_ones_none(void **state)
{
    (void)state;
    static const char *const currencies[] = {"EUR", "JPY", "RON", NULL};
    struct fields *fields = scene_play(&(struct scene){
        .currencies = currencies,
        .sale = "net:EUR=500 net_costed:EUR=500 orders:EUR=1 net:JPY=9 refund_net:JPY=9 "
                "orders:JPY=1"});
    expect_in(fields, RENDER_TABLE, LANGUAGE_EN,
              "Purpose             gross profit         5.00 EUR  CSAT                        –\n"
              "                    gross profit            0 JPY  CSAT ratings                0\n"
              "                    margin EUR           100.00 %  warranty honoured           –\n"
              "                    margin JPY                  –\n"
              "                    cost known for EUR   100.00 %\n"
              "                    cost known for JPY     0.00 %\n");
    fields_free(fields);
}

static void service_has_no_target_while_customers_are_content(void **state)
{
    (void)state;
    struct fields *fields = scene_play(&(struct scene){.service = "csat_n=20 csat_5=20"});
    expect_in(fields, RENDER_TABLE, LANGUAGE_EN,
              "Target              no target                      none, customers are content\n");
    expect_in(fields, RENDER_TABLE, LANGUAGE_RO,
              "Țintă               fără țintă                     fără țintă, clienții sunt\n"
              "                                                     mulțumiți\n");
    expect_in(fields, RENDER_TABLE, LANGUAGE_RO,
              "Nu este stabilită o țintă de vânzări; clienții sunt mulțumiți. [în regulă]\n"
              "- nu este stabilită nicio țintă (0 comenzi)\n"
              "- CSAT 100,00 % ≥ 80,00 % (20 de evaluări)\n");
    fields_free(fields);
}

static void nothing_published_is_a_table_of_dashes(void **state)
{
    (void)state;
    struct fields *fields = NULL;
    struct error err = {0};
    assert_int_equal(fields_open(&fields, &err), 0);
    expect_in(fields, RENDER_TABLE, LANGUAGE_EN, "gross profit                –  CSAT");
    expect_in(fields, RENDER_TABLE, LANGUAGE_EN, "No verdict. [–]");
    expect_in(fields, RENDER_JSON, LANGUAGE_RO, "\"fields\":{}}");
    fields_free(fields);
}

static int set(struct fields *fields, const char *name, const char *value)
{
    return fields_set(fields, text_of(name), text_of(value), NULL);
}

static void foreign_bytes_reach_no_terminal_and_break_no_document(void **state)
{
    (void)state;
    static const char nasty[] = "\x1b[31m\"\\|<script>,\n\xff`*_";
    struct fields *fields = scene_play(&busy);
    for (size_t i = 0; i < fields_count(fields); i++) {
        char name[64];
        snprintf(name, sizeof name, "%s", fields_at(fields, i).name);
        assert_int_equal(set(fields, name, nasty), 0);
    }
    assert_int_equal(set(fields, nasty, nasty), 0);
    assert_int_equal(set(fields, "revenue:\"", "1"), 0);
    assert_int_equal(set(fields, "target:x:y:z", "1"), 0);
    for (enum render_format format = RENDER_TABLE; format <= RENDER_HTML; format++) {
        char *text = draw(fields, format, LANGUAGE_RO);
        assert_null(strchr(text, '\x1b'));
        assert_null(strchr(text, '\xff'));
        if (format == RENDER_JSON) {
            json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
            assert_non_null(root);
            json_decref(root);
        }
        free(text);
    }
    fields_free(fields);
}

static json_t *document(const struct fields *fields, enum language language)
{
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;
    json_error_t error;
    assert_int_equal(render_table_document(&text, &length, fields, language, &err), 0);
    assert_int_equal(strlen(text), length);
    assert_null(strchr(text, '\n'));
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("%s", error.text);
    free(text);
    return root;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void the_document_holds_eight_rows_the_verdict_and_every_field(void **state)
{
    (void)state;
    struct fields *fields = scene_play(&busy);
    json_t *root = document(fields, LANGUAGE_RO);
    assert_string_equal(member(root, "title"), "Vânzare versus service: tabel de comparație");
    assert_string_equal(member(root, "language"), "ro");
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "columns"), 1)),
                        "Vânzare");
    const json_t *rows = json_object_get(root, "rows");
    assert_int_equal(json_array_size(rows), 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(member(json_array_get(rows, i), "group"),
                            i < 5 ? "difference" : "similarity");
    const json_t *purpose = json_array_get(rows, 0);
    assert_string_equal(member(purpose, "key"), "purpose");
    assert_string_equal(member(purpose, "label"), "Scop");
    const json_t *cell = json_object_get(purpose, "sale");
    assert_string_equal(member(cell, "text"),
                        "profit brut 244.000,00 RON; marjă 22,68 %; cost cunoscut la 92,87 %");
    const json_t *line = json_array_get(json_object_get(cell, "lines"), 0);
    assert_string_equal(member(line, "metric"), "gross_profit:RON");
    assert_int_equal(json_integer_value(json_object_get(line, "value")), 24400000);
    assert_string_equal(member(line, "text"), "244.000,00 RON");
    const json_t *verdict = json_object_get(root, "verdict");
    assert_string_equal(member(verdict, "code"), "both_weak");
    assert_string_equal(member(verdict, "severity"), "critical");
    const json_t *reason = json_array_get(json_object_get(verdict, "reasons"), 1);
    assert_string_equal(member(reason, "metric"), "csat_pct");
    assert_string_equal(member(reason, "op"), "<");
    assert_int_equal(json_integer_value(json_object_get(reason, "n")), 612);
    const json_t *published = json_object_get(root, "fields");
    assert_int_equal(json_object_size(published), fields_count(fields));
    assert_string_equal(member(published, "period"), "2026-11");
    assert_true(json_is_null(json_object_get(published, "customers_new")));
    json_decref(root);
    fields_free(fields);
}

static void a_year_is_a_word_and_numbers_keep_their_digits(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    struct fields *fields = scene_play(&(struct scene){
        .period = "2026", .sale = "net:RON=9007199254740993 refund_net:RON=-0 orders:RON=1"});
    FILE *out = open_memstream(&text, &length);
    fields_write_json(fields, out);
    fclose(out);
    assert_non_null(strstr(text, "\"period\":\"2026\","));
    assert_non_null(strstr(text, "\"revenue:RON\":9007199254740993,"));
    assert_non_null(strstr(text, "\"refund_pct:RON\":0.00,"));
    assert_non_null(strstr(text, "\"csat_pct\":null,"));
    assert_non_null(strstr(text, "\"revision\":7,"));
    free(text);
    fields_free(fields);
}

static void what_was_read_back_is_drawn_alike_in_any_order(void **state)
{
    (void)state;
    static const char *const currencies[] = {"EUR", "RON", "USD", NULL};
    struct scene several = busy;
    several.currencies = currencies;
    several.sale = "net:EUR=1 orders:EUR=1 net:RON=2 orders:RON=1 net:USD=3 orders:USD=1";
    several.targets = "{\"version\":1,\"targets\":[{\"period\":\"2026-11\",\"currency\":\"USD\","
                      "\"amount\":5},{\"period\":\"2026-11\",\"currency\":\"EUR\",\"amount\":5},"
                      "{\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":5}]}";
    struct fields *fields = scene_play(&several), *back = NULL;
    struct error err = {0};
    assert_int_equal(fields_open(&back, &err), 0);
    for (size_t i = fields_count(fields); i-- > 0;)
        assert_int_equal(set(back, fields_at(fields, i).name, fields_at(fields, i).value), 0);
    for (enum render_format format = RENDER_TABLE; format <= RENDER_HTML; format++) {
        char *text = draw(fields, format, LANGUAGE_RO), *again = draw(back, format, LANGUAGE_RO);
        if (format != RENDER_JSON) /* which also holds the fields, in their order */
            assert_string_equal(text, again);
        free(text);
        free(again);
    }
    fields_free(fields);
    fields_free(back);
}

static void formats_are_known_by_name(void **state)
{
    (void)state;
    enum render_format format;
    assert_true(render_format_parse(text_of("markdown"), &format));
    assert_int_equal(format, RENDER_MARKDOWN);
    assert_false(render_format_parse(text_of("pdf"), &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_reads_well_in_english),
        cmocka_unit_test(the_table_reads_well_in_romanian),
        cmocka_unit_test(csv_has_a_line_for_each_line_of_a_cell),
        cmocka_unit_test(markdown_is_one_table_and_the_verdict),
        cmocka_unit_test(every_line_fits_in_80_columns),
        cmocka_unit_test(several_currencies_take_a_line_each_and_idle_ones_none),
        cmocka_unit_test(service_has_no_target_while_customers_are_content),
        cmocka_unit_test(nothing_published_is_a_table_of_dashes),
        cmocka_unit_test(foreign_bytes_reach_no_terminal_and_break_no_document),
        cmocka_unit_test(the_document_holds_eight_rows_the_verdict_and_every_field),
        cmocka_unit_test(a_year_is_a_word_and_numbers_keep_their_digits),
        cmocka_unit_test(what_was_read_back_is_drawn_alike_in_any_order),
        cmocka_unit_test(formats_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
