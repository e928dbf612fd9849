#include <kemon/kemon.h>
