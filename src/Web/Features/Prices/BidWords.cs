using Dashboard.Domain.Prices;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Prices;

internal static class BidWords
{
    /// <summary>What no figure of the advice knows.</summary>
    public const string Unseen = "What others bid on a single machine is not in it: providers do not show it.";

    /// <summary>Of a chance that advice is given for.</summary>
    public static string Chance(decimal wanted) => wanted switch { 0.5m => "one run in two", 0.7m => "seven runs in ten", 0.9m => "nine runs in ten", _ => $"{Numbers.Share(wanted)} of runs" };

    /// <summary>The advice in one line, for one GPU.</summary>
    public static string Of(BidHint hint) => hint.Advice switch
    {
        BidAdvice.Silent silent => $"No advice on bids yet. {silent.Why}",
        BidAdvice.Known known => $"A bid that lasts {Numbers.Duration(known.Chances.Run)}: {string.Join(", ", known.Choices.Select(Of))} (by {hint.Measure} over {Weeks(known)}). {Unseen}",
        _ => "",
    };

    public static string Weeks(BidAdvice.Known known) => Numbers.Count(known.Chances.Weeks, "week", "weeks");

    private static string Of(BidChoice choice) => choice.Bid is { } bid ? $"{Numbers.Rate(bid)} in {Chance(choice.Wanted)}" : $"for {Chance(choice.Wanted)} on demand costs no more";
}
