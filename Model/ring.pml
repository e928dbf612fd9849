/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring of KemonBus: claim, publish, gate, drop, join, leave, sleep, and the death of the producers.
 * Two producers, two subscribers, four slots; `make model` searches every interleaving.
 *
 * Each access of the code to a shared word is one step here; what has no shared word in it happens within a step, and a
 * local variable that is not needed any more becomes 0, so that states which differ in nothing else are one. Names are
 * those of the code (Sources/KemonBus/Ring):
 *
 *   claim, limit, audience, sleepers, wakeups   the words of ByteRing
 *   stamp[slot]                                 RingStamp: (sequence + 1) * 4 + state, sizes left out
 *   first[slot], last[slot]                     two words of a record; both hold its sequence + 1 when it is whole
 *   line_state[i], line_cursor[i]               a subscriber's line: LineState, cursor
 *   is_woken[i]                                 whether `wakeups` has moved since subscriber i read it as its ticket
 *
 * Memory is sequentially consistent here. Where the code is weaker than that (a producer alone, the look at
 * `sleepers`), it has the other side execute the fence for it: ByteRing.fenceForProducers.
 *
 * Promised, and checked by assertions:
 *   - a record that a subscriber gets is whole, and it is the record of the subscriber's next sequence, which only
 *     grows: nothing comes twice or out of order;
 *   - only who may be lapped ever jumps over a sequence, and he knows how many he jumped over; who gates and stays
 *     reaches the end of the claims: he has lost nothing;
 *   - after the producers' death every finished record is still read, and the unfinished ones are passed as gaps;
 *   - nobody waits for ever: a waiting step that can never go on is an invalid end state for spin.
 *
 * Subscribers are chosen with -DKIND0=… and -DKIND1=…: GATES (reads in place), DROPS (copies, may be lapped), PATIENT
 * (gates, copies, and is evicted when it stands still). -DDEATH lets the producers' process end at any step. -DSLEEP
 * models how a subscriber parks and is woken; without it one waits in a single step until there is something. Sleeping
 * touches words of its own only, so that it is searched with fewer records.
 *
 * Deliberate errors, each of which must be found: BUG_NO_WRITING (a record is overwritten without stamping the slot
 * first), BUG_GATE (a sequence at the limit passes the gate), BUG_LATE_CLAIM (the gate
 * reads the claim after the cursors; shows with two slots), BUG_EARLY_LOOK (who goes to sleep looks for
 * records before it says that it sleeps), BUG_NO_LAP (a producer does not wait for the one a lap before it),
 * BUG_BLIND (a producer looks at the audience before it claims).
 */
#ifndef SLOTS
#define SLOTS 4
#endif
#ifndef TOTAL
#define TOTAL 5 /* records, in any shares of the producers; slots are used again */
#endif

#define GATES 0
#define DROPS 1
#define PATIENT 2
#ifndef KIND0
#define KIND0 GATES
#endif
#ifndef KIND1
#define KIND1 DROPS
#endif
#define KIND(i) ((i) == 0 -> KIND0 : KIND1)
#define IS_GATING(i) (KIND(i) != DROPS)
#define COPIES(i) (KIND(i) != GATES)

/* LineState; a line that joins is not looked at, as a free one. */
#define FREE 0
#define COPYING 1
#define GATING 2
#define EVICTED 3

/* RingStamp */
#define WRITING(s) (((s) + 1) * 4 + 1)
#define PUBLISHED(s) (((s) + 1) * 4 + 2)
#define GAP(s) (((s) + 1) * 4 + 3)
#define IS_COMPLETE(stamp, s) ((stamp) >= PUBLISHED(s))
#define IS_BEYOND(stamp, s) ((stamp) > PUBLISHED(s))

byte claim, limit = SLOTS;
byte copying, gating; /* the two halves of `audience`, read together */
byte stamp[SLOTS], first[SLOTS], last[SLOTS];
byte line_state[2], line_cursor[2];
#ifdef SLEEP
bool sleepers;
bool is_woken[2];
#endif

/* What only the checks know. */
byte producing = 2; /* producers that are not at their end */
#ifdef DEATH
bool finished[TOTAL]; /* the producer has stamped the record as published */
bool is_dead;         /* the producers' process has ended */
bool is_passed;       /* passDeadProducer has run */
#define FINISH(s) finished[s] = true
#define IS_DEAD is_dead
#define OR_DIE :: is_dead -> goto end
#else
#define FINISH(s) skip
#define IS_DEAD false
#define OR_DIE
#endif

/* A step of a producer; a dead one does nothing any more. */
#define STEP(statement) if :: atomic { !IS_DEAD -> statement } OR_DIE fi
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* Whether a subscriber's line would keep the gate closed now: what a producer waits for before it looks again. */
#define HOLDS(i) (line_state[i] == GATING && line_cursor[i] + SLOTS <= sequence)

/* Takes the lower of `lowest` and a gating line's cursor: two looks, as in refreshLimit. */
inline lower_to(i) {
  if
  :: atomic { !IS_DEAD && line_state[i] == GATING -> skip };
     STEP(lowest = MIN(lowest, line_cursor[i]))
  :: atomic { !IS_DEAD && line_state[i] != GATING -> skip }
  OR_DIE
  fi
}

/* ByteRing.waitForRoom with refreshLimit and evictStanding. */
inline wait_for_room() {
  do
  :: true ->
#ifndef BUG_LATE_CLAIM
     STEP(lowest = claim);
#else
     lowest = 255;
#endif
     lower_to(0);
     lower_to(1);
#ifdef BUG_LATE_CLAIM
     STEP(lowest = MIN(lowest, claim));
#endif
     if
     :: atomic { !IS_DEAD && sequence < lowest + SLOTS -> limit = lowest + SLOTS; lowest = 0 }; break
     :: atomic { !IS_DEAD && sequence >= lowest + SLOTS && !HOLDS(0) && !HOLDS(1) -> lowest = 0 }
#if KIND0 == 2
     :: atomic { !IS_DEAD && sequence >= lowest + SLOTS && HOLDS(0) -> line_state[0] = EVICTED; lowest = 0 }
#endif
#if KIND1 == 2
     :: atomic { !IS_DEAD && sequence >= lowest + SLOTS && HOLDS(1) -> line_state[1] = EVICTED; lowest = 0 }
#endif
     OR_DIE
     fi
  od
}

/* ByteRing.wake: of several producers the one that takes the flag wakes. */
inline wake() {
#ifndef SLEEP
  skip
#else
  if
  :: atomic { !IS_DEAD && sleepers -> sleepers = false };
     STEP(is_woken[0] = true; is_woken[1] = true)
  :: atomic { !IS_DEAD && !sleepers -> skip }
  OR_DIE
  fi
#endif
}

#define SLOT (sequence % SLOTS)
#ifdef BUG_GATE
#define IS_BELOW_LIMIT sequence <= limit
#else
#define IS_BELOW_LIMIT sequence < limit
#endif
#ifdef BUG_NO_LAP
#define IS_FREE true
#else
#define IS_FREE (sequence < SLOTS || IS_COMPLETE(stamp[SLOT], sequence - SLOTS))
#endif
#ifdef BUG_BLIND
#define LOOK skip
#else
#define LOOK audience = AUDIENCE
#endif
#define AUDIENCE (copying > 0 -> 2 : (gating > 0 -> 1 : 0))

proctype Producer() {
  byte sequence, lowest, audience; /* audience: 0 nobody, 1 all read in place, 2 somebody copies */

  do
#ifdef BUG_BLIND
  :: atomic { !IS_DEAD && claim < TOTAL -> audience = AUDIENCE };
     if
     :: atomic { claim < TOTAL -> sequence = claim; claim++ }
     :: atomic { claim >= TOTAL -> break }
     fi;
#else
     /* claimNext, with many producers: compare and swap, and fetch and add after a clash. */
  :: atomic { !IS_DEAD && claim < TOTAL -> sequence = claim; claim++ };
#endif
     if
     :: atomic { !IS_DEAD && IS_BELOW_LIMIT -> skip }
     :: atomic { !IS_DEAD && !(IS_BELOW_LIMIT) -> skip }; wait_for_room()
     OR_DIE
     fi;
     /* waitForSlot: the producer of the lap before has stamped its record, and that stays so: one step with the look
      * at the audience, with which `write` begins. */
     if
     :: atomic { !IS_DEAD && IS_FREE -> LOOK }
     OR_DIE
     fi;
#ifndef BUG_NO_WRITING
     if
     :: audience == 2 -> STEP(stamp[SLOT] = WRITING(sequence))
     :: else
     fi;
#endif
     if
     :: audience != 0 ->
        STEP(first[SLOT] = sequence + 1);
        STEP(last[SLOT] = sequence + 1)
     :: else /* nobody is there: no bytes */
     fi;
     STEP(stamp[SLOT] = PUBLISHED(sequence); FINISH(sequence); sequence = 0; audience = 0);
     wake()
  :: atomic { !IS_DEAD && claim >= TOTAL -> break }
  OR_DIE
  od;
  STEP(producing--);
end:
  atomic { sequence = 0; lowest = 0; audience = 0 }
}

#ifdef DEATH
/* The producers' process ends between any two steps, or never. */
active proctype Death() {
  if
  :: atomic { producing > 0 -> is_dead = true }
  :: true
  fi
}

/* SharedReader.passDeadProducer: the reader of a dead process's ring makes gaps of what was begun. Nobody writes any
 * more, so that one step is as good as many. */
inline pass_dead_producer() {
  atomic {
    index = next;
    end_of_begun = next;
    do
    :: index < next + SLOTS && index < TOTAL ->
       if
       :: stamp[index % SLOTS] >= WRITING(index) && stamp[index % SLOTS] <= GAP(index) ->
          end_of_begun = index + 1
       :: else
       fi;
       index++
    :: else -> break
    od;
    index = next;
    do
    :: index < end_of_begun ->
       if
       :: stamp[index % SLOTS] != PUBLISHED(index) ->
          assert(!finished[index]);
          stamp[index % SLOTS] = GAP(index)
       :: else
       fi;
       index++
    :: else -> break
    od;
    /* What was finished lies below the new claim. */
    index = end_of_begun;
    do
    :: index < TOTAL -> assert(!finished[index]); index++
    :: else -> break
    od;
    claim = end_of_begun;
    is_passed = true;
    index = 0;
    end_of_begun = 0
  }
}
#endif

#define IS_OVER (producing == 0 || IS_DEAD)
#define MINE (next % SLOTS)
#define IS_EVICTED (KIND(me) == PATIENT && line_state[me] == EVICTED)

proctype Subscriber(byte me) {
  byte next, seen;
  bool is_whole;
#ifdef DEATH
  byte index, end_of_begun;
#endif

  /* ByteRing.subscribe. A producer looks at the cursor only when the state says so. */
  if
  :: COPIES(me) -> copying++
  :: else -> gating++
  fi;
  line_cursor[me] = claim;
  line_state[me] = (IS_GATING(me) -> GATING : COPYING);
  next = claim;
  line_cursor[me] = next;

again:
  do
  /* Leaves while events flow. */
  :: !IS_OVER -> goto leave
  :: IS_EVICTED -> goto leave
  :: !IS_EVICTED ->
     /* RingReader.drain */
     seen = stamp[MINE];
     if
     :: seen == PUBLISHED(next) ->
        is_whole = (first[MINE] == next + 1);
        if
        :: COPIES(me) ->
           is_whole = (is_whole && last[MINE] == next + 1);
           /* A copy counts when the stamp has not moved. */
           if
           :: atomic { stamp[MINE] == seen -> assert(is_whole); is_whole = false; seen = 0; next++ }
           :: atomic { stamp[MINE] != seen -> is_whole = false; seen = 0 }; goto overwritten
           fi
        :: else ->
           atomic { assert(is_whole && last[MINE] == next + 1); is_whole = false; seen = 0; next++ }
        fi
     :: seen == GAP(next) -> d_step { seen = 0; next++ }
     :: seen != GAP(next) && IS_BEYOND(seen, next) ->
        seen = 0;
overwritten:
        /* passOverwritten: goes on above the oldest record that is still there. Only who may be lapped can be. */
        atomic { assert(COPIES(me)); next = MAX(next + 1, (claim > SLOTS -> claim - SLOTS : 0)) }
     :: else -> seen = 0; goto nothing
     fi;
     line_cursor[me] = next
  od;

nothing:
#ifdef SLEEP
  /* ByteRing.sleep */
  is_woken[me] = false; /* the ticket */
#ifdef BUG_EARLY_LOOK
  if
  :: IS_COMPLETE(stamp[MINE], next) || IS_OVER -> goto awake
  :: else
  fi;
#endif
  sleepers = true;
#ifndef BUG_EARLY_LOOK
  if
  :: IS_COMPLETE(stamp[MINE], next) || IS_OVER -> goto awake
  :: else
  fi;
#endif
  /* The futex. It is not modelled how long anybody sleeps, so that a lost wake-up is a sleep for ever; only the end of
   * the run, or of the peer, wakes whoever has nothing to read. */
  is_woken[me] || IS_EVICTED || (IS_OVER && !IS_COMPLETE(stamp[MINE], next));
awake:
  is_woken[me] = false;
#else
  IS_COMPLETE(stamp[MINE], next) || IS_OVER || IS_EVICTED;
#endif
  if
  :: atomic { !IS_DEAD && producing == 0 && next >= claim -> goto leave }
#ifdef DEATH
  :: atomic { is_dead && stamp[MINE] < WRITING(next) && is_passed && next >= claim -> goto leave }
  :: atomic { is_dead && stamp[MINE] < PUBLISHED(next) && me == 0 && !is_passed -> skip };
     pass_dead_producer();
     goto again
  /* The other one waits for that, or for ever. */
  :: atomic { is_dead && stamp[MINE] < PUBLISHED(next) && me != 0 && !is_passed && line_state[0] == FREE -> goto leave }
  :: atomic { is_dead && is_passed && next < claim -> goto again }
#endif
  :: atomic { IS_COMPLETE(stamp[MINE], next) || IS_EVICTED || (!IS_OVER) -> goto again }
#ifndef DEATH
  :: atomic { producing == 0 && next < claim -> goto again }
#endif
  fi;

leave:
  /* RingReader.cancel */
  if
  :: COPIES(me) -> copying--
  :: else -> gating--
  fi;
  d_step { line_state[me] = FREE; line_cursor[me] = 0; next = 0; seen = 0 }
}

init {
  atomic {
    run Producer();
    run Producer();
    run Subscriber(0);
    run Subscriber(1)
  }
}
