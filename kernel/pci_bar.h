/* SPDX-License-Identifier: MIT */
/*
 * What base address registers mean (PCI 3.0 section 6.2.5.1). Pure.
 */
#pragma once

#include "kernel/pci.h"

/* `was`: the registers as found; `ones`: as read after writing all ones. */
void pci_decode_bars(const uint32_t *was, const uint32_t *ones,
                     unsigned int count, struct pci_bar *bars);
