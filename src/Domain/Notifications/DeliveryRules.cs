namespace Dashboard.Domain.Notifications;

/// <summary>How long a channel that does not answer is asked again, and when a message to it is laid aside for a person.</summary>
public static class DeliveryRules
{
    /// <summary>Sends of one message before it is laid aside: about three hours.</summary>
    public const int MostTries = 10;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Time until the next send after <paramref name="tries"/> that failed.</summary>
    /// <param name="asked">What the receiver asked for; believed up to an hour.</param>
    public static TimeSpan Wait(int tries, TimeSpan? asked)
    {
        var wait = First * Math.Pow(2, Math.Clamp(tries - 1, 0, 10));
        var least = asked is { } wish && wish > wait ? wish : wait;
        return least < Longest ? least : Longest;
    }

    /// <summary>Whether an HTTP status says that the same message will never be taken there.</summary>
    public static bool IsFinal(int status) => status is >= 300 and < 500 and not (408 or 425 or 429);

    /// <summary>Whether a person's own channel is told.</summary>
    /// <param name="about">Who started the job it is about; null: it is about no job.</param>
    public static bool MayTell(UserId owner, UserId? about) => about is null || about == owner;
}
