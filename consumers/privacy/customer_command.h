/* customer_command.h - `tandem customer`: what the ledger holds of one customer. docs/privacy.md. */
#ifndef TANDEM_CUSTOMER_COMMAND_H
#define TANDEM_CUSTOMER_COMMAND_H

#include "common/command.h"

struct dossier;

extern const struct command customer_command;

/* -1 (ERROR_USAGE), with the rule, for what cannot be a customer's id. */
int customer_command_check(const char *id, struct error *err);
/* -1 (ERROR_INPUT): "nothing is known of customer ...". */
int customer_command_unknown(const struct dossier *dossier, struct error *err);

#endif
