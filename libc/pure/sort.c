/* SPDX-License-Identifier: MIT */
/*
 * Heapsort and binary search: no recursion, no memory, and n log n in the
 * worst case, whatever order a peer manages to send things in. Not stable.
 */
#include <stdint.h>
#include <stdlib.h>

typedef int compare_function(const void *, const void *);

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
    for (; size > 0; --size, ++a, ++b) {
        unsigned char kept = *a;

        *a = *b;
        *b = kept;
    }
}

/* Lets the item at `root` sink until no child is greater. */
static void sink(unsigned char *items, size_t root, size_t count, size_t size,
                 compare_function *compare)
{
    while (root < count / 2) {
        size_t child = 2 * root + 1;

        if (child + 1 < count &&
            compare(items + child * size, items + (child + 1) * size) < 0)
            ++child;
        if (compare(items + root * size, items + child * size) >= 0)
            return;
        swap(items + root * size, items + child * size, size);
        root = child;
    }
}

void qsort(void *items, size_t count, size_t size, compare_function *compare)
{
    unsigned char *first = items;

    for (size_t root = count / 2; root > 0; --root)
        sink(first, root - 1, count, size, compare);
    while (count > 1) {
        --count;
        swap(first, first + count * size, size);
        sink(first, 0, count, size, compare);
    }
}

void *bsearch(const void *key, const void *items, size_t count, size_t size,
              compare_function *compare)
{
    const unsigned char *first = items;

    while (count > 0) {
        const unsigned char *middle = first + count / 2 * size;
        int order = compare(key, middle);

        if (order == 0)
            return (void *)(uintptr_t)middle;
        if (order > 0) {
            first = middle + size;
            --count;
        }
        count /= 2;
    }
    return NULL;
}
