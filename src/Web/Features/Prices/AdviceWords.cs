using Dashboard.Domain.Prices;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Prices;

internal static class AdviceWords
{
    public static string Of(TimeAdvice advice, string measure, ReaderZone zone, DateTimeOffset now) => advice switch
    {
        TimeAdvice.Silent silent => $"No advice yet. {silent.Why}",
        TimeAdvice.NothingToGain nothing => $"Waiting would not help: no hour of the next day is reliably cheaper than this one (back-tested on {Weeks(nothing.Weeks)}).",
        TimeAdvice.Wait wait => $"Waiting until about {zone.Clock(wait.Until, now)} has saved {Numbers.Share(wait.Saving)} on average: it was cheaper in {wait.Helped} of {wait.Tried} trials (back-tested on {Weeks(wait.Weeks)}). Typically {Numbers.Rate(wait.Typical)} then, {measure}.",
        _ => "",
    };

    private static string Weeks(int weeks) => Numbers.Count(weeks, "week", "weeks");
}
