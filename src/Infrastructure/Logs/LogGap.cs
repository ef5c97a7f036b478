namespace Dashboard.Infrastructure.Logs;

/// <summary>Bytes were offered that do not follow what is stored. Ask for the stored length and send from there.</summary>
#pragma warning disable CA1710 // named by what happened
public sealed class LogGap(long stored, long offered) : Exception($"The log is stored up to byte {stored}; byte {offered} cannot follow")
{
    public long Stored { get; } = stored;
}
