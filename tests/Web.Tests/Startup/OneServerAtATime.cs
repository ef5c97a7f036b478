namespace Dashboard.Web.Tests.Startup;

/// <summary>Hangfire keeps its log provider in a static: of two servers in one process, the one that ends first takes the other's log with it.</summary>
[CollectionDefinition(Name)]
public sealed class OneServerAtATime
{
    public const string Name = "One server at a time";
}
