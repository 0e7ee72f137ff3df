/* version.h - which tandem this is. */
#ifndef TANDEM_VERSION_H
#define TANDEM_VERSION_H

#ifndef TANDEM_VERSION
#define TANDEM_VERSION "0.1.0"
#endif

#endif
