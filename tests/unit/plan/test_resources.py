from penstock.plan.resources import Resources, find_resources


def test_classes_have_the_sizes_of_the_published_table() -> None:
    assert find_resources("medium+") == Resources(3, 6, 15)
    assert find_resources("large.gen2") == Resources(4, 8)
    assert find_resources("arm.xlarge") == Resources(8, 32, 52)


def test_no_class_and_classes_of_own_agents_have_no_bounds() -> None:
    assert find_resources("") is None
    assert find_resources("team/runner") is None
