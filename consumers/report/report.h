/* report.h - `tandem report`: prints a published comparison. */
#ifndef TANDEM_REPORT_H
#define TANDEM_REPORT_H

#include "common/command.h"

extern const struct command report_command;

#endif
