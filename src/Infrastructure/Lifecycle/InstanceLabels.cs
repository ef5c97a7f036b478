using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Signs and verifies labels with this installation's secret.</summary>
public sealed class InstanceLabels(InstallationIdentity installation)
{
    public string For(InstanceId instance) => InstanceLabel.For(instance, installation.Label, installation.Secret);

    /// <summary>The row a label names, when this installation signed it.</summary>
    public InstanceId? Verify(string? label) => InstanceLabel.Verify(label, installation.Label, installation.Secret);
}
