using CsCheck;
using Dashboard.Domain.Instances;

namespace Dashboard.Domain.Tests.Instances;

/// <summary>When a run began, learned from ages that a provider rounds.</summary>
public sealed class StartWindowTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Two_answers_leave_what_both_allow()
    {
        var narrowed = At(-300, 300).Narrowed(At(100, 700));

        Assert.Equal(At(100, 300), narrowed);
        Assert.Equal(Noon.AddMilliseconds(200), narrowed.Middle);
        Assert.Equal(TimeSpan.FromMilliseconds(100), narrowed.HalfWidth);
    }

    [Fact]
    public void Of_two_that_contradict_each_other_the_earlier_stays()
    {
        Assert.Equal(At(-300, 300), At(-300, 300).Narrowed(At(5_000, 5_600)));
        Assert.Equal(At(-300, 300), At(5_000, 5_600).Narrowed(At(-300, 300)));
    }

    [Fact]
    public void Truthful_answers_never_exclude_the_truth_and_never_widen() =>
        Gen.Int[0, 600].Array[2, 20].Sample(offsets =>
        {
            var window = At(-600, 600);
            foreach (var offset in offsets)
            {
                var next = window.Narrowed(At(offset - 600, offset)); // each holds Noon
                Assert.InRange(Noon, next.Earliest, next.Latest);
                Assert.True(next.HalfWidth <= window.HalfWidth);
                window = next;
            }
        });

    private static StartWindow At(int from, int to) => new(Noon.AddMilliseconds(from), Noon.AddMilliseconds(to));
}
