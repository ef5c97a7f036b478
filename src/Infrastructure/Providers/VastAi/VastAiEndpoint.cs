namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>The calls that the provider limits one by one.</summary>
internal enum VastAiEndpoint
{
    Account,
    Search,
    Rent,
    List,
    Get,
    StateChange,
    ChangeBid,
    Destroy,
    AttachKey,
    Logs,
    Charges,
    Metrics,
}
