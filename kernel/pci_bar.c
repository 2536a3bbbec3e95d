/* SPDX-License-Identifier: MIT */
/*
 * What base address registers mean (PCI 3.0 section 6.2.5.1).
 */
#include "kernel/pci_bar.h"

enum {
    IS_IO = 1 << 0,
    IO_FLAGS = 3,
    MEMORY_TYPE = 3 << 1,
    MEMORY_64_BIT = 2 << 1,
    MEMORY_PREFETCHABLE = 1 << 3,
    MEMORY_FLAGS = 15,
};

/* The lowest address bit that can be set is the size. */
static uint64_t size_of(uint64_t writable)
{
    return writable & (~writable + 1);
}

void pci_decode_bars(const uint32_t *was, const uint32_t *ones,
                     unsigned int count, struct pci_bar *bars)
{
    for (unsigned int i = 0; i < count; i++) {
        struct pci_bar *bar = &bars[i];
        *bar = (struct pci_bar){.kind = PCI_BAR_NONE};
        if (ones[i] == 0 || ones[i] == UINT32_MAX)
            continue; /* not there; ones throughout: nobody answered */
        if (ones[i] & IS_IO) {
            bar->kind = PCI_BAR_IO;
            bar->address = was[i] & ~(uint32_t)IO_FLAGS;
            bar->size = size_of(ones[i] & ~(uint32_t)IO_FLAGS & UINT16_MAX);
            continue;
        }
        bar->kind = PCI_BAR_MEMORY;
        bar->is_prefetchable = (ones[i] & MEMORY_PREFETCHABLE) != 0;
        bar->address = was[i] & ~(uint32_t)MEMORY_FLAGS;
        uint64_t writable = ones[i] & ~(uint32_t)MEMORY_FLAGS;
        if ((ones[i] & MEMORY_TYPE) == MEMORY_64_BIT && i + 1 < count) {
            bar->address |= (uint64_t)was[i + 1] << 32;
            writable |= (uint64_t)ones[i + 1] << 32;
            bars[++i] = (struct pci_bar){.kind = PCI_BAR_NONE};
        }
        bar->size = size_of(writable);
    }
}
