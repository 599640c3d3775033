"""EXP: the name is the identity of an experiment."""

import pytest

from runstore.backend import Store
from runstore.errors import ExperimentNotFoundError, InvalidValueError
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.strategies import BAD_NAMES, NASTY_NAMES
from runstore.values.ids import experiment_id_of


class ExperimentClauses(ConformanceBase):
    """EXP.1 to EXP.5."""

    @clause("EXP.1")
    def test_the_same_name_gives_the_same_id_from_any_handle_and_after_reopening(self, bench: Bench) -> None:
        name = unique()
        with bench.open() as store:
            first = store.get_or_create_experiment(name)

        again = bench.open().get_or_create_experiment(name)

        assert (first, again) == (experiment_id_of(name), experiment_id_of(name))

    @clause("EXP.1")
    def test_another_process_gets_the_same_id_for_the_same_name(self, bench: Bench) -> None:
        name = unique()

        ids = [bench.child(children.create_experiment, name).result(), bench.open().get_or_create_experiment(name)]

        assert ids == [experiment_id_of(name)] * 2

    @clause("EXP.2")
    def test_sixteen_threads_racing_to_create_one_name_all_get_its_id(self, bench: Bench) -> None:
        name = unique()
        stores = [bench.open(), bench.open()]

        ids = at_once(lambda index: stores[index % 2].get_or_create_experiment(name), 16)

        assert ids == [experiment_id_of(name)] * 16
        assert stores[0].find_experiment(name) == stores[1].get_experiment(ids[0])

    @clause("EXP.3")
    def test_names_are_kept_exactly_as_given(self, store: Store) -> None:
        names = [unique() + name if len(name) < 200 else name[:200] + unique() for name in NASTY_NAMES]

        ids = [store.get_or_create_experiment(name) for name in names]

        assert [store.get_experiment(each).name for each in ids] == names
        assert [found.name for name in names if (found := store.find_experiment(name))] == names

    @clause("EXP.3")
    def test_names_that_differ_in_case_accents_or_trailing_spaces_are_different_experiments(self, store: Store) -> None:
        base = unique("Résumé")
        names = [base, base.upper(), base.lower(), base.replace("é", "e"), base.replace("é", "e\u0301"), base + " "]

        ids = {store.get_or_create_experiment(name) for name in names}

        assert len(ids) == len(names)
        assert {store.get_experiment(each).name for each in ids} == set(names)

    @clause("EXP.3")
    @pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
    def test_a_name_that_cannot_be_kept_is_refused_before_anything_is_written(self, store: Store, name: str) -> None:
        with pytest.raises(InvalidValueError, match="name"):
            store.get_or_create_experiment(name)

        with pytest.raises(ExperimentNotFoundError):
            store.get_experiment(experiment_id_of("x") + "-not")

    @clause("EXP.3")
    def test_names_of_1_and_255_characters_beyond_the_basic_plane_are_kept_whole(self, store: Store) -> None:
        longest = unique() + "🫁" * (255 - len(unique()))

        kept = store.get_experiment(store.get_or_create_experiment(longest)).name

        assert (len(kept), kept) == (255, longest)
        assert store.get_experiment(store.get_or_create_experiment("x")).name == "x"

    @clause("EXP.4")
    def test_the_first_description_wins(self, bench: Bench) -> None:
        name = unique()
        store = bench.open()

        experiment_id = store.get_or_create_experiment(name, description="first")
        store.get_or_create_experiment(name, description="second")
        bench.open().get_or_create_experiment(name)

        assert store.get_experiment(experiment_id).description == "first"

    @clause("EXP.4")
    def test_a_description_may_be_long_and_hold_anything_printable(self, store: Store) -> None:
        text = "Ünïcode 🫁 'quoted' \"twice\"\n" * 200

        experiment_id = store.get_or_create_experiment(unique(), description=text)

        assert store.get_experiment(experiment_id).description == text

    @clause("EXP.5")
    def test_experiments_are_listed_in_code_point_order_with_none_twice_and_none_missing(self, bench: Bench) -> None:
        with bench.fresh() as empty:
            store = empty.open()
            names = ["b", "B", "a", "ä", "a b", "Z", "🫁", "\uffee", "10", "9", "%", "_", "a\\", "é", "e"]
            for name in names:
                store.get_or_create_experiment(name)

            pages = [store.list_experiments(limit=4)]
            while pages[-1].next_cursor:
                pages.append(store.list_experiments(limit=4, cursor=pages[-1].next_cursor))

        assert [each.name for page in pages for each in page.items] == sorted(names)
        assert all(len(page.items) <= 4 for page in pages)

    @clause("EXP.5")
    def test_an_unknown_id_is_not_found_and_an_unknown_name_is_none(self, store: Store) -> None:
        absent = unique()

        assert store.find_experiment(absent) is None
        with pytest.raises(ExperimentNotFoundError, match=experiment_id_of(absent)):
            store.get_experiment(experiment_id_of(absent))
