"""What a store was told and has forgotten since: found by asking the store, and sent again from the journal."""
