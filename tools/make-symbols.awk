# SPDX-License-Identifier: MIT
#
# Reads `nm -n` of the first link and writes the table of function names that
# kernel/symbols.c decodes, as assembler source for the second. Names share
# many words, so the best words are replaced by one byte each. With no input
# it writes the empty table of the first link. -v app=NAME names the app, whose
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

# Words with the underscore behind them, as in tcp_ receive.
function split_words(name, words,    n, at) {
    n = 0
    while ((at = index(name, "_")) > 0 && at < length(name)) {
        words[++n] = substr(name, 1, at)
        name = substr(name, at + 1)
    }
    if (name != "")
        words[++n] = name
    return n
}

function choose_tokens(    i, j, n, word, best, words, gain) {
    for (i = 1; i <= count; i++) {
        n = split_words(names[i], words)
        for (j = 1; j <= n; j++)
            gain[words[j]] += length(words[j]) - 1
    }
    for (word in gain)
        gain[word] -= length(word) + 1
    while (tokens < 128) {
        best = ""
        for (word in gain) {
            if (gain[word] > 0 && (best == "" || gain[word] > gain[best] ||
                (gain[word] == gain[best] && word < best)))
                best = word
        }
        if (best == "")
            break
        token[tokens] = best
        code[best] = 128 + tokens
        tokens++
        delete gain[best]
    }
}

function write_distance(distance) {
    while (distance >= 128) {
        printf "    .byte %d\n", 128 + distance % 128
        distance = int(distance / 128)
    }
    printf "    .byte %d\n", distance
}

function write_name(name,    n, j, words) {
    n = split_words(name, words)
    for (j = 1; j <= n; j++) {
        if (words[j] in code)
            printf "    .byte %d\n", code[words[j]]
        else
            printf "    .ascii \"%s\"\n", words[j]
    }
    print "    .byte 0"
}

END {
    tokens = 0
    choose_tokens()
    print "    .section .symbols, \"a\""
    print "    .globl symbols_start, symbols_end"
    print "symbols_start:"
    printf "    .byte %d\n", tokens
    for (i = 0; i < tokens; i++)
        printf "    .asciz \"%s\"\n", token[i]
    last = base
    for (i = 1; i <= count; i++) {
        write_distance(addresses[i] - last)
        write_name(names[i])
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
