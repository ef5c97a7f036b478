using Dashboard.Domain.Instances;

namespace Dashboard.Domain.Tests.Instances;

public sealed class SilenceTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Fact]
    public void Looks_that_fail_one_after_the_other_add_up()
    {
        var silence = Silence.Heard(null, Start);
        Assert.Equal(TimeSpan.Zero, silence.Lasts);
        for (var minute = 1; minute <= 15; minute++)
        {
            silence = Silence.Heard(silence, Start.AddMinutes(minute));
        }

        Assert.Equal(TimeSpan.FromMinutes(15), silence.Lasts);
    }

    [Theory]
    [InlineData(60)] // nobody looked for an hour
    [InlineData(-10)] // the clock was set back
    public void Time_in_which_nobody_looked_is_no_silence(int minutes) =>
        Assert.Equal(TimeSpan.Zero, Silence.Heard(new Silence(Start.AddMinutes(-14), Start), Start.AddMinutes(minutes)).Lasts);
}
