#include "consumers/comparison/verdict.h"

#include <stddef.h>

static const struct verdict verdicts[SALE_STATES][SERVICE_STATES] = {
    [SALE_GOOD] =
        {
            [SERVICE_CONTENT] =
                {"both_healthy",
                 "ok",
                 {"Sales are on target and customers are content: both functions work.",
                  "Vânzările sunt la țintă, iar clienții sunt mulțumiți: ambele funcții merg bine."}},
            [SERVICE_AT_RISK] =
                {"service_slipping",
                 "warning",
                 {"Sales are on target, but service is slipping: customers may not be retained.",
                  "Vânzările sunt la țintă, dar calitatea service-ului scade: clienții riscă să nu fie "
                  "păstrați."}},
            [SERVICE_UNHAPPY] =
                {"customers_unhappy",
                 "warning",
                 {"Sales are on target, but customers are unhappy: repeat and referred sales are at "
                  "risk.",
                  "Vânzările sunt la țintă, dar clienții sunt nemulțumiți: vânzările repetate și cele "
                  "din recomandări sunt în pericol."}},
            [SERVICE_UNKNOWN] =
                {"service_unmeasured",
                 "notice",
                 {"Sales are on target; there are too few ratings to judge service.",
                  "Vânzările sunt la țintă; sunt prea puține evaluări pentru a aprecia service-ul."}},
        },
    [SALE_WEAK] =
        {
            [SERVICE_CONTENT] =
                {"sales_behind",
                 "warning",
                 {"Customers are content, but sales are behind target: goodwill alone is not enough.",
                  "Clienții sunt mulțumiți, dar vânzările sunt sub țintă: bunăvoința singură nu este de "
                  "ajuns."}},
            [SERVICE_AT_RISK] = {"both_slipping",
                                 "critical",
                                 {"Sales are behind target and service is slipping.",
                                  "Vânzările sunt sub țintă, iar calitatea service-ului scade."}},
            [SERVICE_UNHAPPY] =
                {"both_weak",
                 "critical",
                 {"Sales are behind target and customers are unhappy: both functions need attention.",
                  "Vânzările sunt sub țintă, iar clienții sunt nemulțumiți: ambele funcții au nevoie de "
                  "atenție."}},
            [SERVICE_UNKNOWN] =
                {"sales_behind_unmeasured",
                 "warning",
                 {"Sales are behind target; there are too few ratings to judge service.",
                  "Vânzările sunt sub țintă; sunt prea puține evaluări pentru a aprecia service-ul."}},
        },
    [SALE_NONE] =
        {
            [SERVICE_CONTENT] =
                {"content_no_target",
                 "ok",
                 {"No sales target is set; customers are content.",
                  "Nu este stabilită o țintă de vânzări; clienții sunt mulțumiți."}},
            [SERVICE_AT_RISK] =
                {"slipping_no_target",
                 "warning",
                 {"No sales target is set; service is slipping.",
                  "Nu este stabilită o țintă de vânzări; calitatea service-ului scade."}},
            [SERVICE_UNHAPPY] =
                {"unhappy_no_target",
                 "warning",
                 {"No sales target is set; customers are unhappy.",
                  "Nu este stabilită o țintă de vânzări; clienții sunt nemulțumiți."}},
            [SERVICE_UNKNOWN] =
                {"no_data",
                 "notice",
                 {"No sales target and too few ratings: nothing can be judged yet.",
                  "Nu există o țintă de vânzări și sunt prea puține evaluări: încă nu se poate aprecia "
                  "nimic."}},
        },
};

const char *sale_state_name(enum sale_state state)
{
    static const char *const names[] = {"good", "weak", "none"};
    return names[state];
}

const char *service_state_name(enum service_state state)
{
    static const char *const names[] = {"content", "at_risk", "unhappy", "unknown"};
    return names[state];
}

const struct verdict *verdict_of(enum sale_state sale, enum service_state service)
{
    return &verdicts[sale][service];
}

const struct verdict *verdict_find(struct text code)
{
    for (int sale = 0; sale < SALE_STATES; sale++)
        for (int service = 0; service < SERVICE_STATES; service++)
            if (text_is(code, verdicts[sale][service].code))
                return &verdicts[sale][service];
    return NULL;
}
