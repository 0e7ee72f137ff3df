/* forget.h - `tandem forget`: a customer's state goes, and stays away. docs/privacy.md. */
#ifndef TANDEM_FORGET_H
#define TANDEM_FORGET_H

#include "common/command.h"

extern const struct command forget_command;

#endif
