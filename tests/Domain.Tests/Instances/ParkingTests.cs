using Dashboard.Domain.Instances;

namespace Dashboard.Domain.Tests.Instances;

/// <summary>When a machine that a person keeps may be stopped: not before what its program saves is at home, and not for ever after.</summary>
public sealed class ParkingTests
{
    private static readonly DateTimeOffset Asked = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Transfer = TimeSpan.FromMinutes(30);

    [Theory]
    [InlineData(null, null, 119, false)] // nothing saved yet
    [InlineData(300, 300, 60, false)] // that was the checkpoint before
    [InlineData(320, 300, 60, false)] // saved, on its way home
    [InlineData(320, 320, 1, true)] // at home
    [InlineData(300, 300, 120, true)] // it does not save
    [InlineData(320, 300, 1919, false)]
    [InlineData(320, 300, 1920, true)] // it does not come home
    public void It_waits_for_the_checkpoint_of_the_step_at_which_it_was_asked(int? made, int? home, int seconds, bool stops) =>
        Assert.Equal(stops, new Parking(Asked, 320).MayStop(made, home, Transfer, Asked.AddSeconds(seconds)));

    [Fact]
    public void A_program_that_has_nothing_to_save_is_not_waited_for() => Assert.True(new Parking(Asked, null).MayStop(null, null, Transfer, Asked));
}
