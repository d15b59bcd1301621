import unittest

from greeting import greeting


class GreetingTest(unittest.TestCase):
    def test_it_names_whom_it_greets(self) -> None:
        self.assertEqual(greeting("world"), "Hello, world!")


if __name__ == "__main__":
    unittest.main()
