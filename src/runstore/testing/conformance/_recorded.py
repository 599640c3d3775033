"""DUR.7: the clauses of other families once more, on the same database behind the recorder."""

import inspect
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from runstore.testing.bench import Bench
from runstore.testing.conformance._artifacts import ArtifactClauses as Artifacts
from runstore.testing.conformance._base import ConformanceBase, clause, parameters_of
from runstore.testing.conformance._changes import ChangeClauses as Changes
from runstore.testing.conformance._configs import ConfigClauses as Configs
from runstore.testing.conformance._deletions import DeletionClauses as Deletions
from runstore.testing.conformance._endings import EndingClauses as Endings
from runstore.testing.conformance._experiments import ExperimentClauses as Experiments
from runstore.testing.conformance._late import LateClauses as Late
from runstore.testing.conformance._metrics import MetricClauses as Metrics
from runstore.testing.conformance._restorable import RestorableClauses as Restorable
from runstore.testing.conformance._runs import RunClauses as Runs
from runstore.testing.conformance._summaries import SummaryClauses as Summaries
from runstore.testing.harness import RecordedHarness

KEPT: tuple[Callable[..., None], ...] = (
    Experiments.test_the_first_description_wins,
    Runs.test_a_new_run_is_in_progress_under_a_new_time_ordered_id,
    Runs.test_ensuring_a_run_that_exists_changes_nothing,
    Runs.test_an_unknown_experiment_is_named_and_nothing_is_written,
    Runs.test_an_existing_run_under_another_experiment_is_a_conflict,
    Runs.test_resuming_a_finished_run_opens_a_new_attempt_and_keeps_what_was_logged,
    Runs.test_each_resume_of_a_finished_run_counts_one_attempt_and_of_a_live_one_none,
    Runs.test_a_child_needs_a_parent_that_was_begun,
    Runs.test_children_are_listed_in_creation_order_page_by_page,
    Runs.test_what_was_given_at_creation_reads_back_equal,
    Runs.test_tags_keep_odd_keys_and_values,
    Runs.test_a_start_time_of_another_zone_is_the_same_moment_in_utc,
    Metrics.test_sending_a_batch_twice_is_sending_it_once,
    Metrics.test_the_last_write_of_a_point_wins_in_one_batch_and_over_many,
    Metrics.test_a_run_resumed_from_an_older_checkpoint_overwrites_its_overlap,
    Metrics.test_name_case_dataset_type_and_run_tell_series_apart,
    Metrics.test_points_for_an_unknown_run_are_refused_and_nothing_is_stored,
    Metrics.test_every_float64_reads_back_bit_for_bit,
    Metrics.test_python_numbers_are_kept_as_their_float_value,
    Metrics.test_history_is_ordered_by_step_whatever_the_order_of_arrival,
    Metrics.test_any_printable_name_is_kept_exactly,
    Metrics.test_one_call_may_carry_a_hundred_thousand_points,
    Metrics.test_times_are_kept_to_the_microsecond_and_read_back_in_utc,
    Metrics.test_a_call_without_points_changes_nothing_and_still_finds_the_run_missing,
    Summaries.test_overwriting_the_extreme_the_first_and_the_last_is_seen,
    Summaries.test_any_sequence_of_calls_reads_back_as_a_plain_dictionary_of_steps_says,
    Configs.test_every_kind_of_value_reads_back_equal_and_of_the_same_type,
    Configs.test_logging_again_merges_key_by_key_and_the_last_value_wins,
    Configs.test_odd_keys_survive_at_every_depth,
    Configs.test_a_config_of_one_mebibyte_is_accepted,
    Artifacts.test_the_bytes_read_back_are_the_bytes_given,
    Artifacts.test_the_same_name_again_replaces_the_record,
    Artifacts.test_a_directory_is_logged_file_by_file,
    Artifacts.test_without_copy_the_path_or_uri_alone_is_recorded_and_says_so,
    Artifacts.test_the_file_may_change_or_vanish_once_the_call_has_returned,
    Artifacts.test_records_are_listed_by_name_with_type_metadata_and_time,
    Endings.test_each_terminal_status_ends_a_run,
    Endings.test_the_same_status_again_keeps_the_first_end_time_and_failure,
    Endings.test_another_status_is_refused_and_changes_nothing,
    Endings.test_a_failure_keeps_type_message_and_traceback,
    Endings.test_what_arrives_after_the_end_is_kept_and_changes_no_status,
    Endings.test_a_resumed_run_is_alive,
    Changes.test_a_run_takes_another_name_and_nothing_else_of_it_changes,
    Changes.test_tags_are_laid_over_those_that_a_run_has_and_removed_by_key,
    Changes.test_filters_see_the_tags_of_now,
    Changes.test_odd_keys_and_values_of_tags_are_kept_and_removed,
    Changes.test_a_note_is_kept_exactly_and_replaced,
    Changes.test_a_note_and_new_tags_outlive_a_resume_and_a_second_end,
    Changes.test_an_archived_run_is_left_out_of_lists_and_shown_by_its_id,
    Changes.test_an_archived_run_takes_what_is_logged_and_comes_back_as_it_was,
    Changes.test_a_description_is_replaced_and_removed,
    Changes.test_an_experiment_that_does_not_exist_is_named_and_not_made,
    Changes.test_a_change_made_twice_is_made_once,
    Changes.test_of_changes_that_contradict_each_other_the_later_stands,
    Deletions.test_every_read_hides_a_deleted_run_and_restoring_shows_all_of_it,
    Deletions.test_beginning_a_deleted_run_is_refused_and_does_not_bring_it_back,
    Deletions.test_a_deleted_run_takes_no_other_change,
    Deletions.test_what_a_deleted_run_is_sent_is_kept_and_shown_once_it_is_restored,
    Deletions.test_children_of_a_deleted_run_stay_and_it_takes_new_ones,
    Deletions.test_deleting_an_experiment_deletes_its_runs_and_hides_it,
    Deletions.test_a_deleted_experiment_comes_back_and_its_deleted_runs_do_not,
    Late.test_a_change_that_comes_late_changes_nothing_that_was_changed_since,
    Late.test_a_change_of_now_stands_whatever_the_clock_of_an_earlier_one_said,
    Late.test_a_deletion_that_comes_late_spares_what_began_or_was_restored_after_it,
    Restorable.test_deleted_runs_are_listed_by_what_they_are_known_by_the_last_deleted_first,
    Restorable.test_a_restored_run_is_deleted_no_longer_and_an_archived_one_is_listed,
)
"""What a database shows by its answers. Arguments that are refused never come so far, and no recorder is needed to see it."""


class RecordedClauses(ConformanceBase):
    """DUR.7."""

    @clause("DUR.7")
    @pytest.mark.parametrize("test", KEPT, ids=lambda test: test.__name__.removeprefix("test_"))
    def test_a_clause_is_kept_behind_the_recorder_too(
        self, bench: Bench, tmp_path: Path, test: Callable[..., None]
    ) -> None:
        asked = inspect.signature(test).parameters
        parameters = list(parameters_of(test))
        few = parameters[: math.ceil(len(parameters) * bench.harness.effort)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "journals"))
            with Bench(RecordedHarness(bench.harness), backend=bench.backend, trace=bench.trace) as recorded:
                store = recorded.open()
                for number, given in enumerate(few):
                    folder = tmp_path / str(number)
                    folder.mkdir()
                    offered = {"bench": recorded, "store": store, "tmp_path": folder}
                    fixtures = {name: value for name, value in offered.items() if name in asked}
                    bench.begin_script()
                    test(self, **fixtures, **given)
