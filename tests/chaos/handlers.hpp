#pragma once
// Jobs of every kind of behaviour, each of which says in the side log that it begins and what it has done.
//
//     chaos.fast       done at once
//     chaos.slow       {"ms": N} later
//     chaos.flaky      fails in its first {"fails": N} attempts
//     chaos.hopeless   fails in every attempt
//     chaos.discard    can never succeed
//     chaos.snooze     comes back about once
//     chaos.chain      done, with {"length": N} successors one after the other
//     chaos.ledger     writes a line of public.ledger in the transaction that settles it

#include "chaos/side_log.hpp"
#include "engine/registry.hpp"

namespace millrace::chaos {

// `log` outlives the registry.
void add_handlers(engine::Registry& registry, SideLog& log);

}  // namespace millrace::chaos
