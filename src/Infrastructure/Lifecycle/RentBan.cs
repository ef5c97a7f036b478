namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What forbids every rent, whoever asks for it, and is said on every page. Machines that are there are watched, brought home and destroyed as ever.</summary>
public sealed class RentBan
{
    internal static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);
    private volatile string? _quarantine;
    private volatile string? _diskFull;

    /// <summary>Why the database may not know all of its machines; null when it is trusted. See <see cref="Persistence.Quarantine"/>.</summary>
    public string? Quarantine => _quarantine;

    /// <summary>Which disk has no room; null while there is some.</summary>
    public string? DiskFull => _diskFull;

    /// <summary>A sentence for the job that waits; null when renting is allowed.</summary>
    public string? Why => _quarantine is not null ? "Nothing is rented until a site administrator has confirmed this installation on the System page."
        : _diskFull is not null ? "Nothing is rented while the server's disk is full."
        : null;

    /// <summary>Something began or ended.</summary>
    public event Action? Changed;

    internal void SetQuarantine(string? reason)
    {
        _quarantine = reason;
        Changed?.Invoke();
    }

    internal void SetDiskFull(string? where)
    {
        if (_diskFull != where)
        {
            _diskFull = where;
            Changed?.Invoke();
        }
    }
}
