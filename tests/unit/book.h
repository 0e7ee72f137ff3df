/* book.h - a fold whose sums are read as words, for the tests of consumers/. */
#ifndef TANDEM_TESTS_BOOK_H
#define TANDEM_TESTS_BOOK_H

#include "consumers/worker/fold.h"

struct book {
    struct fold fold;
    struct decoder *decoder;
};

/* Counts nothing yet; dimensions as the setting scopes. */
void book_open(struct book *book, const struct fold_kind *kind, const char *scopes,
               const char *zone);
void book_close(struct book *book);
void book_clear(struct book *book); /* forgets all sums */

/* Folds an event made as event_maker.h says. */
void book_add(struct book *book, const char *type, const char *time, const char *members);

/* The cells of one hash are these and no others: "orders=1 net:RON=100".
 * when "2026-11-23", "2026-11-23T14" or "undated"; scope "all", "region=north". */
void book_expect(const struct book *book, const char *when, const char *scope, const char *cells);

/* One cell; 0 when it is not there. */
int64_t book_cell(const struct book *book, const char *when, const char *scope, const char *field);

#endif
