# SPDX-License-Identifier: MIT
#
# Reads `nm -n` of the first link and writes the table of function names that
# kernel/symbols.c decodes, as assembler source for the second. Names share
# many parts, so the most frequent pair of bytes becomes one byte that names do
# not have, again and again (byte pair encoding). With no input it writes the empty table of the first link. -v app=NAME names the app, whose
# name is the one other thing that differs from image to image. Any POSIX awk.

function digits(hex,    value, i) {
    value = 0
    for (i = 1; i <= length(hex); i++)
        value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return value
}

# Image addresses share their upper half, which awk's numbers cannot hold.
{ address = digits(substr($1, 9)) }

$3 == "text_start" { base = address }
$3 == "text_end" { finish = address }

$2 ~ /^[tT]$/ && substr($1, 1, 8) == "ffffffff" &&
$3 !~ /^(text|image|rodata|data)_(start|end)$/ && $3 !~ /^\./ {
    name = $3
    sub(/\..*/, "", name) # .constprop.0 and the like
    if (count > 0 && addresses[count] == address)
        next
    count++
    addresses[count] = address
    names[count] = name
}

# The letters of all names, each name ended by 0.
function take_letters(    i, j) {
    for (i = 32; i < 127; i++)
        ordinal[sprintf("%c", i)] = i
    for (i = 1; i <= count; i++) {
        for (j = 1; j <= length(names[i]); j++)
            letters[++total] = ordinal[substr(names[i], j, 1)]
        letters[++total] = 0
    }
}

# The bytes that stand for pairs: 128 to 255, then 1 to 47 (no name has them).
function code_of(token) {
    return token < 128 ? token + 128 : token - 127
}

function best_pair(    i, pair, best, seen) {
    best = 0
    for (i = 1; i < total; i++) {
        if (letters[i] == 0 || letters[i + 1] == 0)
            continue
        pair = letters[i] * 256 + letters[i + 1]
        seen[pair]++
        if (seen[pair] > seen[best] ||
            (seen[pair] == seen[best] && pair < best))
            best = pair
    }
    return seen[best] >= 4 ? best : 0 # 2 bytes of table must be worth it
}

function join_pair(pair, code,    i, n, left, right) {
    left = int(pair / 256)
    right = pair % 256
    n = 0
    for (i = 1; i <= total; i++) {
        if (letters[i] == left && i < total && letters[i + 1] == right) {
            letters[++n] = code
            i++
        } else {
            letters[++n] = letters[i]
        }
    }
    total = n
}

function choose_pairs(    pair) {
    while (tokens < 175 && (pair = best_pair()) != 0) {
        pairs[tokens] = pair
        join_pair(pair, code_of(tokens))
        tokens++
    }
}

function write_distance(distance) {
    while (distance >= 128) {
        printf "    .byte %d\n", 128 + distance % 128
        distance = int(distance / 128)
    }
    printf "    .byte %d\n", distance
}

# The next name from where the last one ended.
function write_name() {
    do {
        printf "    .byte %d\n", letters[++written]
    } while (letters[written] != 0)
}

END {
    tokens = total = written = 0
    take_letters()
    choose_pairs()
    print "    .section .symbols, \"a\""
    print "    .globl symbols_start, symbols_end"
    print "symbols_start:"
    printf "    .byte %d\n", tokens
    for (i = 0; i < tokens; i++)
        printf "    .byte %d, %d\n", int(pairs[i] / 256), pairs[i] % 256
    last = base
    for (i = 1; i <= count; i++) {
        write_distance(addresses[i] - last)
        write_name()
        last = addresses[i]
    }
    if (count > 0) {
        write_distance(finish - last)
        print "    .byte 0"
    }
    print "symbols_end:"
    print "    .globl app_name"
    print "app_name:"
    printf "    .asciz \"%s\"\n", app
    print "    .section .note.GNU-stack, \"\", @progbits"
}
